#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace portunus::standalone {

/// A row of `targets` as it is written.
struct TargetEntry {
  std::string host;
  std::int64_t port = 0;
  std::int64_t priority = 0;
  std::optional<std::string> proxy_protocol;
};

/// A [[rule]] as it is written: the types are right, the values not judged yet.
struct RuleEntry {
  std::string name;
  std::optional<std::string> protocol;
  std::optional<std::uint16_t> listen_port;
  std::optional<std::string> listen_ports;
  std::optional<std::string> target;
  std::optional<std::vector<TargetEntry>> targets;
  std::optional<bool> prefer_ipv6;
  std::optional<std::uint32_t> udp_max_flows;
  std::optional<std::uint32_t> udp_flow_idle_secs;
};

/// The tables and keys of the file (cli-and-config 8.1), unknown ones refused at every level.
struct Document {
  std::optional<std::string> label;
  std::optional<std::string> log_level;
  std::optional<std::string> log_format;
  std::optional<std::uint64_t> shutdown_drain_secs;
  RuleEntry defaults;
  std::optional<bool> stats_enabled;
  std::optional<std::string> stats_socket_path;
  std::optional<std::uint64_t> stats_refresh_ms;
  std::vector<RuleEntry> rules;
};

/// The error is what follows "toml parse error: ", with a line where there is one.
std::expected<Document, std::string> read_document(std::string_view text);

}  // namespace portunus::standalone
