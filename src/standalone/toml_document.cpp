#include "standalone/toml_document.hpp"

#include <fmt/format.h>

#include <toml++/toml.h>
#include <limits>
#include <utility>

namespace portunus::standalone {
namespace {

using Fault = std::optional<std::string>;

std::string at(const toml::node& node, std::string text) {
  const auto& begin = node.source().begin;
  if (!begin) return text;
  return fmt::format("line {}, column {}: {}", begin.line, begin.column, text);
}

// One overload per type that a key can have: the value, or what is wrong with it.

Fault read(std::string_view key, const toml::node& node, std::optional<std::string>& out) {
  const auto value = node.value_exact<std::string>();
  if (!value) return at(node, fmt::format("invalid type for `{}`: expected a string", key));
  out = *value;
  return std::nullopt;
}

Fault read(std::string_view key, const toml::node& node, std::optional<bool>& out) {
  const auto value = node.value_exact<bool>();
  if (!value) return at(node, fmt::format("invalid type for `{}`: expected a boolean", key));
  out = *value;
  return std::nullopt;
}

Fault read(std::string_view key, const toml::node& node, std::optional<std::int64_t>& out) {
  const auto value = node.value_exact<std::int64_t>();
  if (!value) return at(node, fmt::format("invalid type for `{}`: expected an integer", key));
  out = *value;
  return std::nullopt;
}

template <class Unsigned>
  requires std::is_unsigned_v<Unsigned>
Fault read(std::string_view key, const toml::node& node, std::optional<Unsigned>& out) {
  std::optional<std::int64_t> value;
  if (auto fault = read(key, node, value)) return fault;
  if (*value < 0 || static_cast<std::uint64_t>(*value) > std::numeric_limits<Unsigned>::max()) {
    return at(node, fmt::format("invalid value for `{}`: {} is out of range", key, *value));
  }
  out = static_cast<Unsigned>(*value);
  return std::nullopt;
}

/// A value where the key must be there.
template <class T, class Into>
Fault read_required(std::string_view key, const toml::node& node, Into& out) {
  std::optional<T> value;
  if (auto fault = read(key, node, value)) return fault;
  out = std::move(*value);
  return std::nullopt;
}

Fault unknown_field(const toml::key& key) {
  return fmt::format("line {}, column {}: unknown field `{}`", key.source().begin.line,
                     key.source().begin.column, key.str());
}

/// Calls `read_key(key, node)` for every entry of the table; it returns true for a key it knows.
template <class ReadKey>
Fault read_table(std::string_view name, const toml::node& node, ReadKey read_key) {
  const toml::table* table = node.as_table();
  if (table == nullptr) return at(node, fmt::format("`{}` is not a table", name));
  for (const auto& [key, value] : *table) {
    Fault fault;
    if (!read_key(key.str(), value, fault)) return unknown_field(key);
    if (fault) return fault;
  }
  return std::nullopt;
}

Fault missing(const toml::node& node, std::string_view key) {
  return at(node, fmt::format("missing field `{}`", key));
}

Fault read_target(const toml::node& node, TargetEntry& out) {
  bool host = false, port = false;
  auto fault =
      read_table("targets", node, [&](std::string_view key, const toml::node& value, Fault& wrong) {
        if (key == "host") {
          host = true;
          wrong = read_required<std::string>(key, value, out.host);
        } else if (key == "port") {
          port = true;
          wrong = read_required<std::int64_t>(key, value, out.port);
        } else if (key == "priority") {
          wrong = read_required<std::int64_t>(key, value, out.priority);
        } else if (key == "proxy_protocol") {
          wrong = read(key, value, out.proxy_protocol);
        } else {
          return false;
        }
        return true;
      });
  if (fault) return fault;
  if (!host) return missing(node, "host");
  return port ? std::nullopt : missing(node, "port");
}

Fault read_targets(const toml::node& node, std::optional<std::vector<TargetEntry>>& out) {
  const toml::array* rows = node.as_array();
  if (rows == nullptr) return at(node, "invalid type for `targets`: expected a list");
  out.emplace();
  for (const toml::node& row : *rows) {
    if (auto fault = read_target(row, out->emplace_back())) return fault;
  }
  return std::nullopt;
}

/// The keys that [defaults] and a rule share.
bool read_shared_key(std::string_view key, const toml::node& value, RuleEntry& out, Fault& fault) {
  if (key == "protocol") {
    fault = read(key, value, out.protocol);
  } else if (key == "prefer_ipv6") {
    fault = read(key, value, out.prefer_ipv6);
  } else if (key == "udp_max_flows") {
    fault = read(key, value, out.udp_max_flows);
  } else if (key == "udp_flow_idle_secs") {
    fault = read(key, value, out.udp_flow_idle_secs);
  } else {
    return false;
  }
  return true;
}

Fault read_rule(const toml::node& node, RuleEntry& out) {
  bool named = false;
  auto fault =
      read_table("rule", node, [&](std::string_view key, const toml::node& value, Fault& wrong) {
        if (key == "name") {
          named = true;
          wrong = read_required<std::string>(key, value, out.name);
        } else if (key == "listen_port") {
          wrong = read(key, value, out.listen_port);
        } else if (key == "listen_ports") {
          wrong = read(key, value, out.listen_ports);
        } else if (key == "target") {
          wrong = read(key, value, out.target);
        } else if (key == "targets") {
          wrong = read_targets(value, out.targets);
        } else {
          return read_shared_key(key, value, out, wrong);
        }
        return true;
      });
  if (fault) return fault;
  return named ? std::nullopt : missing(node, "name");
}

Fault read_rules(const toml::node& node, std::vector<RuleEntry>& out) {
  const toml::array* rules = node.as_array();
  if (rules == nullptr) return at(node, "invalid type for `rule`: expected [[rule]] tables");
  for (const toml::node& rule : *rules) {
    if (auto fault = read_rule(rule, out.emplace_back())) return fault;
  }
  return std::nullopt;
}

Fault read_global(const toml::node& node, Document& out) {
  return read_table("global", node, [&](std::string_view key, const toml::node& v, Fault& wrong) {
    if (key == "label") {
      wrong = read(key, v, out.label);
    } else if (key == "log_level") {
      wrong = read(key, v, out.log_level);
    } else if (key == "log_format") {
      wrong = read(key, v, out.log_format);
    } else if (key == "shutdown_drain_secs") {
      wrong = read(key, v, out.shutdown_drain_secs);
    } else {
      return false;
    }
    return true;
  });
}

Fault read_stats(const toml::node& node, Document& out) {
  return read_table("stats", node, [&](std::string_view key, const toml::node& v, Fault& wrong) {
    if (key == "enabled") {
      wrong = read(key, v, out.stats_enabled);
    } else if (key == "socket_path") {
      wrong = read(key, v, out.stats_socket_path);
    } else if (key == "refresh_ms") {
      wrong = read(key, v, out.stats_refresh_ms);
    } else {
      return false;
    }
    return true;
  });
}

}  // namespace

std::expected<Document, std::string> read_document(std::string_view text) {
  toml::table table;
  try {
    table = toml::parse(text);
  } catch (const toml::parse_error& e) {
    return std::unexpected(fmt::format("line {}, column {}: {}", e.source().begin.line,
                                       e.source().begin.column, e.description()));
  }
  Document out;
  auto fault = read_table("", table, [&](std::string_view key, const toml::node& v, Fault& wrong) {
    if (key == "global") {
      wrong = read_global(v, out);
    } else if (key == "stats") {
      wrong = read_stats(v, out);
    } else if (key == "rule") {
      wrong = read_rules(v, out.rules);
    } else if (key == "defaults") {
      wrong = read_table("defaults", v, [&](std::string_view k, const toml::node& n, Fault& f) {
        return read_shared_key(k, n, out.defaults, f);
      });
    } else {
      return false;
    }
    return true;
  });
  if (fault) return std::unexpected(std::move(*fault));
  return out;
}

}  // namespace portunus::standalone
