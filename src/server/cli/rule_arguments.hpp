#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "server/cli/cap_arguments.hpp"

namespace portunus::server::cli {

/// `push-rule` as typed (cli-and-config 2.7).
struct PushArguments {
  std::string client;
  std::string listen;                 ///< "P" or "A-B"
  std::optional<std::string> target;  ///< "host:P" or "host:A-B"
  std::vector<std::string> targets;   ///< "host:port[@priority]"
  std::optional<std::string> targets_json;
  std::string protocol = "tcp";
  std::uint64_t ack_timeout_secs = 2;
  bool prefer_ipv6 = false;
  std::optional<std::uint32_t> health_check_interval_secs;
  std::optional<std::string> sni;
  CapArguments caps;
};

/// What a local check refuses, before any network I/O.
struct Refusal {
  std::string text;  ///< stands after "error: "
  int exit = 0;
};

/// A checked push: the body of POST /v1/rules (http-api 8.1).
struct PushBody {
  std::string json;
  std::uint16_t listen_port = 0;
};

/// Runs the local checks in the contract's order and makes the body. What only the server can
/// judge (lengths of ranges, caps, features of the client) is passed through.
std::expected<PushBody, Refusal> make_push_body(const PushArguments& arguments);

}  // namespace portunus::server::cli
