#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/model/rate_limit.hpp"

namespace portunus::server::rules {

/// One row of a target list as asked for.
struct WantedTarget {
  std::string host = {};
  std::uint32_t port = 0;
  std::optional<std::uint32_t> priority = {};
  std::optional<std::string> proxy_protocol = {};
};

/// Caps as asked for.
struct WantedCaps {
  model::RateLimit limit = {};
  /// The key that is reserved for later was set (http-api 7.3).
  bool reserved_key = false;
};

/// A rule as the operator asked for it: decoded, nothing checked yet (http-api 8.1).
struct PushRequest {
  std::string client = {};  ///< name or id
  std::uint32_t listen_port = 0;
  std::optional<std::uint32_t> listen_port_end = {};
  // The single-target shape.
  std::optional<std::string> target_host = {};
  std::optional<std::uint32_t> target_port = {};
  std::optional<std::uint32_t> target_port_end = {};
  // The multi-target shape.
  std::optional<std::vector<WantedTarget>> targets = {};
  std::optional<std::uint32_t> health_check_interval_secs = {};

  std::string protocol = "tcp";
  std::optional<bool> prefer_ipv6 = {};
  std::optional<std::string> sni_pattern = {};
  std::optional<WantedCaps> rate_limit = {};
  std::chrono::seconds ack_timeout{2};

  /// Port of the last listener, before anybody has looked at it.
  std::uint32_t last_listen_port() const { return listen_port_end.value_or(listen_port); }
};

}  // namespace portunus::server::rules
