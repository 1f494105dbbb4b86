#include "common/wire/rule_wire.hpp"

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

namespace portunus::wire {
namespace {

using Refusal = std::unexpected<RuleRefusal>;
using Kind = RuleRefusal::Kind;

Refusal refuse(Kind kind, std::string reason, std::string detail, std::size_t index = 0) {
  return Refusal({kind, std::move(reason), std::move(detail), index});
}

Refusal refuse_feature(std::string_view feature, std::string detail) {
  return refuse(Kind::unsupported, std::string(feature) + "_unsupported_by_client",
                std::move(detail));
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

std::optional<RuleRefusal> check_protocol(const v1::Rule& rule) {
  // 0 is what a writer leaves out: TCP (control-wire 2.6).
  if (rule.protocol() == v1::PROTOCOL_UNSPECIFIED || rule.protocol() == v1::TCP) return {};
  return RuleRefusal{Kind::protocol, "unsupported_protocol",
                     "protocol " + std::to_string(static_cast<int>(rule.protocol()))};
}

/// The shape of the ports: both sides equally long, or a single listen port before a list.
std::optional<RuleRefusal> check_ports(const v1::Rule& rule) {
  const std::uint32_t listen = span_length(rule.listen_port(), rule.listen_port_end());
  const std::string listen_text = span_text(rule.listen_port(), rule.listen_port_end());
  if (listen == 0) return RuleRefusal{Kind::range, "range_invalid", "listen " + listen_text};
  if (rule.targets_size() > 0) {
    // A receiver uses only the list, whatever stands beside it; list rules are single-port.
    if (listen == 1) return {};
    return RuleRefusal{Kind::range, "range_invalid", "listen " + listen_text + " with a list"};
  }
  if (span_length(rule.target_port(), rule.target_port_end()) != listen) {
    return RuleRefusal{Kind::range, "range_invalid",
                       "listen " + listen_text + ", target " +
                           span_text(rule.target_port(), rule.target_port_end())};
  }
  if (listen == 1) return {};
  return RuleRefusal{Kind::unsupported, "range_unsupported_by_client", "listen " + listen_text};
}

bool has_caps(const v1::RateLimit& limit) {
  return limit.has_bandwidth_in_bps() || limit.has_bandwidth_out_bps() ||
         limit.has_new_connections_per_sec() || limit.has_concurrent_connections() ||
         limit.has_bandwidth_in_burst() || limit.has_bandwidth_out_burst() ||
         limit.has_new_connections_burst();
}

bool has_proxy_header(const v1::Target& target) {
  if (!target.has_proxy_protocol()) return false;
  // Unknown numbers of an enum are skipped (control-wire 2.6).
  return target.proxy_protocol() == v1::PROXY_PROTOCOL_VERSION_V1 ||
         target.proxy_protocol() == v1::PROXY_PROTOCOL_VERSION_V2;
}

std::expected<model::Target, RuleRefusal> read_target(const std::string& host, std::uint32_t port,
                                                      std::size_t row) {
  if (!is_port(port)) {
    return refuse(Kind::target, "target_invalid_port:" + std::to_string(row), std::to_string(port),
                  row);
  }
  auto parsed = model::parse_target_host(host);
  if (!parsed) return refuse(Kind::target, "invalid_target_host", host, row);
  return model::Target{std::move(*parsed), static_cast<std::uint16_t>(port)};
}

/// The target of a rule of either form; every row of a list must be well-formed.
std::expected<model::Target, RuleRefusal> read_targets(const v1::Rule& rule) {
  if (rule.targets_size() == 0) return read_target(rule.target_host(), rule.target_port(), 0);
  std::expected<model::Target, RuleRefusal> first;
  for (int row = 0; row < rule.targets_size(); ++row) {
    auto target = read_target(rule.targets(row).host(), rule.targets(row).port(),
                              static_cast<std::size_t>(row));
    if (!target) return target;
    if (row == 0) first = std::move(target);
  }
  return first;
}

std::optional<RuleRefusal> check_features(const v1::Rule& rule, const model::Target& target) {
  if (rule.targets_size() > 1) {
    return refuse_feature("multi_target", std::to_string(rule.targets_size()) + " targets").error();
  }
  if (!rule.sni_pattern().empty()) return refuse_feature("sni", rule.sni_pattern()).error();
  if (rule.targets_size() == 1 && has_proxy_header(rule.targets(0))) {
    return refuse_feature("proxy_protocol", target.text()).error();
  }
  if (rule.has_rate_limit() && has_caps(rule.rate_limit())) {
    return refuse_feature("rate_limit", "caps").error();
  }
  if (!target.literal()) return refuse_feature("dns", target.host).error();
  return {};
}

}  // namespace

void rule_to_wire(const model::RuleSpec& rule, v1::Rule& out) {
  out.set_rule_id(rule.id.value);
  out.set_listen_port(rule.listen_port);
  out.set_target_host(rule.target.host);
  out.set_target_port(rule.target.port);
  out.set_protocol(protocol_to_wire(rule.protocol));
  if (rule.prefer_ipv6) out.set_prefer_ipv6(*rule.prefer_ipv6);
  if (!rule.owner_id.empty()) out.set_owner_id(rule.owner_id);
}

std::expected<model::RuleSpec, RuleRefusal> rule_from_wire(const v1::Rule& rule) {
  if (auto refusal = check_protocol(rule)) return Refusal(std::move(*refusal));
  if (auto refusal = check_ports(rule)) return Refusal(std::move(*refusal));
  auto target = read_targets(rule);
  if (!target) return Refusal(std::move(target.error()));
  if (auto refusal = check_features(rule, *target)) return Refusal(std::move(*refusal));

  model::RuleSpec out;
  out.id = RuleId{rule.rule_id()};
  out.protocol = model::Protocol::tcp;
  out.listen_port = static_cast<std::uint16_t>(rule.listen_port());
  out.target = std::move(*target);
  if (rule.has_prefer_ipv6()) out.prefer_ipv6 = rule.prefer_ipv6();
  out.owner_id = rule.owner_id();
  return out;
}

}  // namespace portunus::wire
