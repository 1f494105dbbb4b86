#include "common/config/server_config.hpp"

#include <fmt/format.h>

#include <toml++/toml.h>
#include <cerrno>
#include <functional>
#include <utility>

#include "common/config/errc.hpp"
#include "common/config/file.hpp"
#include "common/config/origin.hpp"

namespace portunus::config {
namespace {

constexpr std::int64_t kMaxU32 = UINT32_MAX;
/// A drain longer than a year only overflows clocks.
constexpr std::int64_t kMaxDrainSeconds = 365L * 24 * 3600;

std::unexpected<Error> invalid(std::string detail) {
  return fail(Error(Errc::config_invalid, std::move(detail)));
}

/// One key's value on its way into the config; remembers the first fault.
class Reader {
 public:
  Reader(std::string_view key, const toml::node& node) : key_(key), node_(node) {}

  Result<std::string> text() const {
    if (const auto value = node_.value_exact<std::string>()) return *value;
    return invalid(fmt::format("{}: expected a string", key_));
  }
  Result<std::int64_t> integer() const {
    if (const auto value = node_.value_exact<std::int64_t>()) return *value;
    return invalid(fmt::format("{}: expected an integer", key_));
  }

  Result<> read(net::Endpoint& out) const {
    const auto value = text();
    if (!value) return fail(value.error());
    const auto endpoint = net::Endpoint::parse(*value);
    if (!endpoint) return invalid(fmt::format("{}: expected ip:port (got \"{}\")", key_, *value));
    out = *endpoint;
    return {};
  }
  Result<> read(std::filesystem::path& out) const {
    const auto value = text();
    if (!value) return fail(value.error());
    if (value->empty()) return invalid(fmt::format("{}: expected a path", key_));
    out = *value;
    return {};
  }
  Result<> read_range(std::uint32_t& out, std::int64_t low, std::int64_t high) const {
    const auto value = integer();
    if (!value) return fail(value.error());
    if (*value < low || *value > high) {
      return invalid(
          fmt::format("{} out of range (got {}, expected {}..={})", key_, *value, low, high));
    }
    out = static_cast<std::uint32_t>(*value);
    return {};
  }

 private:
  std::string_view key_;
  const toml::node& node_;
};

Result<> read_origin(const Reader& reader, ServerConfig& config) {
  const auto value = reader.text();
  if (!value) return fail(value.error());
  if (!is_public_origin(*value)) {
    return invalid("operator_http_public_origin must be http(s)://host[:port]");
  }
  config.operator_http_public_origin = *value;
  return {};
}

Result<> read_drain(const Reader& reader, ServerConfig& config) {
  const auto value = reader.integer();
  if (!value) return fail(value.error());
  if (*value < 0) return invalid("shutdown_drain_timeout_secs: expected an unsigned integer");
  config.shutdown_drain_timeout = std::chrono::seconds(std::min(*value, kMaxDrainSeconds));
  return {};
}

Result<> read_log_format(const Reader& reader, ServerConfig& config) {
  const auto value = reader.text();
  if (!value) return fail(value.error());
  if (*value == "json") {
    config.log_format = log::Format::json;
  } else if (*value == "compact") {
    config.log_format = log::Format::compact;
  } else {
    return invalid(fmt::format("log_format: expected json or compact (got \"{}\")", *value));
  }
  return {};
}

Result<> read_max_ports(const Reader& reader, ServerConfig& config) {
  const auto value = reader.integer();
  if (!value) return fail(value.error());
  if (*value < 1 || *value > kMaxU32) {
    return invalid(
        fmt::format("range_rule_max_ports must be >= 1 and <= {} (got {})", kMaxU32, *value));
  }
  config.range_rule_max_ports = static_cast<std::uint32_t>(*value);
  return {};
}

Result<> read_operator_token(const Reader& reader, ServerConfig& config) {
  const auto value = reader.text();
  if (!value) return fail(value.error());
  if (value->empty() || value->size() > 256)
    return invalid("operator_token must have 1..=256 bytes");
  config.operator_token = Secret(*value);
  return {};
}

Result<> read_key(std::string_view key, const Reader& reader, ServerConfig& config) {
  if (key == "control_listen") return reader.read(config.control_listen);
  if (key == "operator_http_listen") return reader.read(config.operator_http_listen);
  if (key == "metrics_listen") return reader.read(config.metrics_listen);
  if (key == "operator_http_public_origin") return read_origin(reader, config);
  if (key == "tls_cert_path") return reader.read(config.tls_cert_path);
  if (key == "tls_key_path") return reader.read(config.tls_key_path);
  if (key == "token_store_path" || key == "operator_store_path") {
    std::filesystem::path accepted_but_never_opened;
    return reader.read(accepted_but_never_opened);
  }
  if (key == "shutdown_drain_timeout_secs") return read_drain(reader, config);
  if (key == "log_format") return read_log_format(reader, config);
  if (key == "range_rule_max_ports") return read_max_ports(reader, config);
  if (key == "udp_flow_idle_secs") return reader.read_range(config.udp_flow_idle_secs, 30, 300);
  if (key == "udp_max_flows_per_rule") {
    return reader.read_range(config.udp_max_flows_per_rule, 1, 65535);
  }
  if (key == "operator_token") return read_operator_token(reader, config);
  return invalid(fmt::format("unknown field `{}`", key));
}

ServerConfig defaults(const DataDir& dir) {
  ServerConfig config;
  const auto loopback = *net::IpAddress::parse("127.0.0.1");
  config.control_listen = net::Endpoint(net::IpAddress::any_v4(), 7443);
  config.operator_http_listen = net::Endpoint(loopback, 7080);
  config.metrics_listen = net::Endpoint(loopback, 7081);
  config.tls_cert_path = dir.certificate();
  config.tls_key_path = dir.key();
  return config;
}

}  // namespace

Result<ServerConfig> parse_server_config(std::string_view text, const DataDir& dir) {
  ServerConfig config = defaults(dir);
  toml::table table;
  try {
    table = toml::parse(text);
  } catch (const toml::parse_error& e) {
    // The description never quotes a value, which might be the operator's token.
    return invalid(fmt::format("line {}, column {}: {}", e.source().begin.line,
                               e.source().begin.column, e.description()));
  }
  for (const auto& [key, node] : table) {
    if (auto done = read_key(key.str(), Reader(key.str(), node), config); !done) {
      return fail(done.error());
    }
  }
  return config;
}

Result<ServerConfig> load_server_config(const DataDir& dir) {
  const auto text = read_file(dir.config_file());
  if (text) return parse_server_config(*text, dir);
  if (text.error().code == std::errc::no_such_file_or_directory) return defaults(dir);
  return fail(Error(Errc::config_invalid, text.error().text()));
}

}  // namespace portunus::config
