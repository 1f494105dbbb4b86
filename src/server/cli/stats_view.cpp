#include <array>
#include <sstream>
#include <utility>

#include "common/base/rfc3339.hpp"
#include "server/cli/api_call.hpp"
#include "server/cli/json_fields.hpp"
#include "server/cli/output.hpp"
#include "server/cli/rule_views.hpp"

namespace portunus::server::cli {
namespace {

using Done = std::expected<void, std::string>;

constexpr auto kTargetWidths = std::to_array<std::size_t>({3, 24, 6, 4, 8, 5, 14, 14, 6});
constexpr auto kPortWidths = std::to_array<std::size_t>({8, 14, 14, 8});
constexpr auto kUdpPortWidths = std::to_array<std::size_t>({8, 14, 14, 14, 14});

Done checked(const Fields& fields) {
  if (fields.fault()) return std::unexpected(*fields.fault());
  return {};
}

Done write_line(std::ostream& out, const Json& stats) {
  Fields fields(stats);
  std::ostringstream line;
  const auto field = [&](std::string_view label, const std::string& value) {
    line << (label == "rule_id" ? "" : " ") << label << '=' << printable(value);
  };
  const auto counter = [&](std::string_view label, std::string_view key) {
    field(label, std::to_string(fields.number(key)));
  };
  const std::string protocol = fields.text("protocol");
  counter("rule_id", "rule_id");
  field("client", fields.text("client_name"));
  field("protocol", protocol);
  counter("bytes_in", "bytes_in");
  counter("bytes_out", "bytes_out");
  if (protocol == "udp") {
    counter("active_flows", "active_flows");
    counter("datagrams_in", "datagrams_in");
    counter("datagrams_out", "datagrams_out");
    counter("flows_dropped_overflow", "flows_dropped_overflow");
    counter("dns_failures", "dns_failures");
  } else {
    counter("active", "active_connections");
    counter("dns_failures", "dns_failures");
    counter("target_failovers_total", "target_failovers_total");
  }
  const auto updated = parse_rfc3339(fields.text("updated_at"));
  if (auto done = checked(fields); !done) return done;
  if (!updated) return std::unexpected("field `updated_at` is not RFC 3339");
  field("updated_at", format_rfc3339_seconds(*updated));
  out << line.str() << '\n';
  return {};
}

/// Numbers of a later release are shown as such (control-wire 2.5).
std::string_view health_word(std::uint64_t health) {
  if (health == 0) return "Healthy";
  return health == 1 ? "Failed" : "Unknown";
}

Done write_targets(std::ostream& out, const Json* targets) {
  if (targets == nullptr || targets->empty()) {
    out << "(single-target rule, no per-target state)\n";
    return {};
  }
  print_row(out, kTargetWidths,
            {"IDX", "HOST", "PORT", "PRIO", "HEALTH", "FAILS", "BYTES_IN", "BYTES_OUT", "CONNS"});
  for (const Json& target : *targets) {
    Fields fields(target);
    const auto cell = [&](std::string_view key) { return std::to_string(fields.number(key)); };
    const std::string index = cell("index");
    const std::string host = fields.text("host");
    const std::string port = cell("port");
    const std::string priority = cell("priority");
    const std::string_view health = health_word(fields.number("health"));
    const std::string fails = cell("consecutive_failures");
    const std::string in = cell("bytes_in");
    const std::string bytes_out = cell("bytes_out");
    const std::string connections = cell("connections_accepted");
    if (auto done = checked(fields); !done) return done;
    print_row(out, kTargetWidths,
              {index, host, port, priority, health, fails, in, bytes_out, connections});
  }
  return {};
}

Done write_ports(std::ostream& out, const Json* ports, bool udp) {
  if (udp) {
    print_row(out, kUdpPortWidths,
              {"PORT", "BYTES_IN", "BYTES_OUT", "DATAGRAMS_IN", "DATAGRAMS_OUT"});
  } else {
    print_row(out, kPortWidths, {"PORT", "BYTES_IN", "BYTES_OUT", "ACTIVE"});
  }
  if (ports == nullptr) return {};  // no detail was reported yet
  for (const Json& port : *ports) {
    Fields fields(port);
    const auto cell = [&](std::string_view key) { return std::to_string(fields.number(key)); };
    const std::string number = cell("listen_port");
    const std::string in = cell("bytes_in");
    const std::string bytes_out = cell("bytes_out");
    const std::string third = cell(udp ? "datagrams_in" : "active_connections");
    const std::string fourth = udp ? cell("datagrams_out") : std::string();
    if (auto done = checked(fields); !done) return done;
    if (udp) {
      print_row(out, kUdpPortWidths, {number, in, bytes_out, third, fourth});
    } else {
      print_row(out, kPortWidths, {number, in, bytes_out, third});
    }
  }
  return {};
}

Json picked(const Json& stats) {
  Json out = Fields::pick(
      stats, {"rule_id", "client_name", "protocol", "bytes_in", "bytes_out", "active_connections",
              "dns_failures", "datagrams_in", "datagrams_out", "active_flows",
              "flows_dropped_overflow", "target_failovers_total", "updated_at"});
  Fields fields(stats);
  if (const Json* targets = fields.array("per_target")) {
    Json list = Json::array();
    for (const Json& target : *targets) {
      list.push_back(Fields::pick(
          target, {"index", "host", "port", "priority", "health", "consecutive_failures",
                   "last_failure_at_unix_ms", "last_success_at_unix_ms", "bytes_in", "bytes_out",
                   "connections_accepted"}));
    }
    out["per_target"] = std::move(list);
  }
  if (const Json* ports = fields.array("per_port")) {
    Json list = Json::array();
    for (const Json& port : *ports) {
      list.push_back(Fields::pick(port, {"listen_port", "bytes_in", "bytes_out",
                                         "active_connections", "datagrams_in", "datagrams_out"}));
    }
    out["per_port"] = std::move(list);
  }
  return out;
}

}  // namespace

std::expected<void, std::string> print_stats(std::ostream& out, const Json& stats, Format format,
                                             StatsDetail detail) {
  // The text is made in either case: it is what checks every member that is printed.
  std::ostringstream text;
  if (auto done = write_line(text, stats); !done) return done;
  Fields fields(stats);
  const Json* targets = fields.array("per_target");
  const Json* ports = fields.array("per_port");
  if (auto done = checked(fields); !done) return done;
  if (detail.per_target) {
    if (auto done = write_targets(text, targets); !done) return done;
  }
  if (detail.per_port) {
    const bool udp = fields.text("protocol") == "udp";
    if (auto done = write_ports(text, ports, udp); !done) return done;
  }
  out << (format == Format::json ? pretty(picked(stats)) : text.str());
  return {};
}

}  // namespace portunus::server::cli
