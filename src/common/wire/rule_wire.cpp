#include "common/wire/rule_wire.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "common/wire/rate_limit_wire.hpp"

namespace portunus::wire {
namespace {

using Refusal = std::unexpected<RuleRefusal>;
using Kind = RuleRefusal::Kind;

Refusal refuse(Kind kind, std::string reason, std::string detail, std::size_t index = 0) {
  return Refusal({kind, std::move(reason), std::move(detail), index});
}

bool is_port(std::uint32_t value) {
  return value >= 1 && value <= std::numeric_limits<std::uint16_t>::max();
}

/// The number of ports of one side of a rule, whose end is 0 for a single port; 0 when malformed.
std::uint32_t span_length(std::uint32_t first, std::uint32_t last) {
  if (last == 0) last = first;
  return is_port(first) && is_port(last) && first <= last ? last - first + 1 : 0;
}

std::string span_text(std::uint32_t first, std::uint32_t last) {
  return std::to_string(first) + (last == 0 ? "" : "-" + std::to_string(last));
}

v1::Protocol protocol_to_wire(model::Protocol protocol) {
  switch (protocol) {
    case model::Protocol::tcp:
      return v1::TCP;
    case model::Protocol::udp:
      return v1::UDP;
  }
  return v1::PROTOCOL_UNSPECIFIED;
}

std::expected<model::Protocol, RuleRefusal> read_protocol(const v1::Rule& rule) {
  switch (rule.protocol()) {
    case v1::PROTOCOL_UNSPECIFIED:  // what a writer leaves out (control-wire 2.6)
    case v1::TCP:
      return model::Protocol::tcp;
    case v1::UDP:
      return model::Protocol::udp;
    default:
      return refuse(Kind::protocol, "unsupported_protocol",
                    "protocol " + std::to_string(static_cast<int>(rule.protocol())));
  }
}

/// The number of listen ports: both sides equally long, or a single one before a list.
std::expected<std::uint32_t, RuleRefusal> read_ports(const v1::Rule& rule) {
  const std::uint32_t listen = span_length(rule.listen_port(), rule.listen_port_end());
  const std::string listen_text = span_text(rule.listen_port(), rule.listen_port_end());
  if (listen == 0) return refuse(Kind::range, "range_invalid", "listen " + listen_text);
  if (rule.targets_size() > 0) {
    // A receiver uses only the list, whatever stands beside it; list rules are single-port.
    if (listen == 1) return listen;
    return refuse(Kind::range, "range_invalid", "listen " + listen_text + " with a list");
  }
  if (span_length(rule.target_port(), rule.target_port_end()) != listen) {
    return refuse(Kind::range, "range_invalid",
                  "listen " + listen_text + ", target " +
                      span_text(rule.target_port(), rule.target_port_end()));
  }
  return listen;
}

std::optional<model::ProxyVersion> read_proxy(const v1::Target& row) {
  if (!row.has_proxy_protocol()) return std::nullopt;
  switch (row.proxy_protocol()) {
    case v1::PROXY_PROTOCOL_VERSION_V1:
      return model::ProxyVersion::v1;
    case v1::PROXY_PROTOCOL_VERSION_V2:
      return model::ProxyVersion::v2;
    default:  // treated as absent (control-wire 2.6)
      return std::nullopt;
  }
}

std::expected<model::Target, RuleRefusal> read_target(const std::string& host, std::uint32_t port,
                                                      std::size_t row) {
  if (!is_port(port)) {
    return refuse(Kind::target, "target_invalid_port:" + std::to_string(row), std::to_string(port),
                  row);
  }
  auto parsed = model::parse_target_host(host);
  if (!parsed) return refuse(Kind::target, "invalid_target_host", host, row);
  return model::Target{.host = std::move(*parsed), .port = static_cast<std::uint16_t>(port)};
}

/// The targets of a rule of either form; every row of a list must be well-formed.
std::expected<std::vector<model::Target>, RuleRefusal> read_targets(const v1::Rule& rule,
                                                                    model::Protocol protocol) {
  std::vector<model::Target> out;
  if (rule.targets_size() == 0) {
    auto target = read_target(rule.target_host(), rule.target_port(), 0);
    if (!target) return Refusal(std::move(target.error()));
    out.push_back(std::move(*target));
    return out;
  }
  for (const v1::Target& row : rule.targets()) {
    const std::size_t index = out.size();
    if (index == model::kMaxTargets) {
      return refuse(Kind::target, "targets_too_many", std::to_string(rule.targets_size()), index);
    }
    auto target = read_target(row.host(), row.port(), index);
    if (!target) return Refusal(std::move(target.error()));
    target->priority = row.priority();
    target->proxy = read_proxy(row);
    if (target->proxy && protocol != model::Protocol::tcp) {
      return refuse(Kind::target, "proxy_protocol_on_unsupported_rule", target->text(), index);
    }
    out.push_back(std::move(*target));
  }
  return out;
}

/// An empty pattern is none.
std::expected<std::optional<std::string>, RuleRefusal> read_pattern(const v1::Rule& rule,
                                                                    const model::RuleSpec& spec) {
  if (rule.sni_pattern().empty()) return std::nullopt;
  if (spec.protocol != model::Protocol::tcp || spec.ports != 1) {
    return refuse(Kind::sni, "sni_on_unsupported_rule", rule.sni_pattern());
  }
  auto pattern = model::parse_sni_pattern(rule.sni_pattern());
  if (!pattern) return refuse(Kind::sni, "sni_pattern_malformed", rule.sni_pattern());
  return pattern;
}

std::string_view fault_name(model::RateLimitFault fault) {
  switch (fault) {
    case model::RateLimitFault::cap_zero:
      return "rate_limit_cap_zero";
    case model::RateLimitFault::burst_without_rate:
      return "rate_limit_burst_without_rate";
    case model::RateLimitFault::burst_range:
      return "rate_limit_burst_range";
  }
  return "";
}

/// An envelope without caps is none.
std::expected<std::optional<model::RateLimit>, RuleRefusal> read_limit(const v1::Rule& rule) {
  if (!rule.has_rate_limit()) return std::nullopt;
  const auto limit = rate_limit_from_wire(rule.rate_limit());
  if (!limit) {
    return refuse(Kind::limit, std::string(fault_name(limit.error())),
                  rule.rate_limit().ShortDebugString());
  }
  if (limit->empty()) return std::nullopt;
  return *limit;
}

bool has_proxy(const model::Target& target) {
  return target.proxy.has_value();
}

bool has_caps(const model::RuleSpec& rule) {
  return rule.rate_limit && !rule.rate_limit->empty();
}

/// The third row of the table in control-wire section 3.
bool travels_as_list(const model::RuleSpec& rule) {
  return rule.listed || rule.multi_target() || rule.sni_pattern || has_caps(rule) ||
         std::ranges::any_of(rule.targets, has_proxy);
}

void target_to_wire(const model::Target& target, v1::Target& out) {
  out.set_host(target.host);
  out.set_port(target.port);
  out.set_priority(target.priority);
  if (!target.proxy) return;
  switch (*target.proxy) {
    case model::ProxyVersion::v1:
      out.set_proxy_protocol(v1::PROXY_PROTOCOL_VERSION_V1);
      break;
    case model::ProxyVersion::v2:
      out.set_proxy_protocol(v1::PROXY_PROTOCOL_VERSION_V2);
      break;
  }
}

}  // namespace

void rule_to_wire(const model::RuleSpec& rule, v1::Rule& out) {
  out.set_rule_id(rule.id.value);
  out.set_listen_port(rule.listen_port);
  // Beside a list this is the copy of row 0, which a 1.8 client checks first.
  out.set_target_host(rule.target().host);
  out.set_target_port(rule.target().port);
  out.set_protocol(protocol_to_wire(rule.protocol));
  if (rule.ports > 1) {
    out.set_listen_port_end(rule.last_listen_port());
    out.set_target_port_end(rule.target().port + rule.ports - 1);
  }
  if (rule.prefer_ipv6) out.set_prefer_ipv6(*rule.prefer_ipv6);
  if (travels_as_list(rule)) {
    for (const model::Target& target : rule.targets) target_to_wire(target, *out.add_targets());
  }
  if (rule.health_check_interval_secs) {
    out.set_health_check_interval_secs(*rule.health_check_interval_secs);
  }
  if (rule.sni_pattern) out.set_sni_pattern(*rule.sni_pattern);
  if (has_caps(rule)) rate_limit_to_wire(*rule.rate_limit, *out.mutable_rate_limit());
  if (!rule.owner_id.empty()) out.set_owner_id(rule.owner_id);
}

std::expected<model::RuleSpec, RuleRefusal> rule_from_wire(const v1::Rule& rule) {
  model::RuleSpec out;
  out.id = RuleId{rule.rule_id()};
  const auto protocol = read_protocol(rule);
  if (!protocol) return Refusal(protocol.error());
  out.protocol = *protocol;
  const auto ports = read_ports(rule);
  if (!ports) return Refusal(ports.error());
  out.listen_port = static_cast<std::uint16_t>(rule.listen_port());
  out.ports = *ports;
  auto targets = read_targets(rule, out.protocol);
  if (!targets) return Refusal(std::move(targets.error()));
  out.targets = std::move(*targets);
  out.listed = rule.targets_size() > 0;
  if (rule.has_prefer_ipv6()) out.prefer_ipv6 = rule.prefer_ipv6();
  if (rule.health_check_interval_secs() != 0) {
    out.health_check_interval_secs = rule.health_check_interval_secs();
  }
  auto pattern = read_pattern(rule, out);
  if (!pattern) return Refusal(std::move(pattern.error()));
  out.sni_pattern = std::move(*pattern);
  const auto limit = read_limit(rule);
  if (!limit) return Refusal(limit.error());
  out.rate_limit = *limit;
  out.owner_id = rule.owner_id();
  return out;
}

}  // namespace portunus::wire
