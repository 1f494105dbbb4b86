#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/base/secret.hpp"
#include "common/config/data_dir.hpp"
#include "common/log/line.hpp"
#include "common/net/endpoint.hpp"

namespace portunus::config {

/// <data-dir>/server.toml, with the defaults of cli-and-config 3 where a key is absent. Read once
/// at start; nothing reloads it.
struct ServerConfig {
  net::Endpoint control_listen;
  net::Endpoint operator_http_listen;
  /// Must be a loopback address: whoever binds it checks.
  net::Endpoint metrics_listen;
  std::optional<std::string> operator_http_public_origin;
  std::filesystem::path tls_cert_path;
  std::filesystem::path tls_key_path;
  std::chrono::seconds shutdown_drain_timeout{30};
  log::Format log_format = log::Format::json;
  std::uint32_t range_rule_max_ports = 1024;
  std::uint32_t udp_flow_idle_secs = 60;
  std::uint32_t udp_max_flows_per_rule = 1024;
  /// Empty = unset.
  Secret operator_token;
};

/// Errc::config_invalid with a detail that names the key; never the value of operator_token.
Result<ServerConfig> parse_server_config(std::string_view toml, const DataDir& dir);

/// As parse_server_config on the directory's server.toml; an absent file gives the defaults.
Result<ServerConfig> load_server_config(const DataDir& dir);

}  // namespace portunus::config
