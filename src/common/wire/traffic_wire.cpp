#include "common/wire/traffic_wire.hpp"

#include <algorithm>
#include <limits>

namespace portunus::wire {
namespace {

constexpr int kBuckets = static_cast<int>(model::kPeekBoundsMicros.size());

/// Reject number i + 1 on the wire is number i of the model: 0 is the unspecified one there.
constexpr auto kFirstReject = v1::RATE_LIMIT_REJECT_REASON_CONN_CONCURRENT;
static_assert(kFirstReject == 1);
static_assert(v1::RATE_LIMIT_REJECT_REASON_OWNER_UDP_FLOW_RATE ==
              kFirstReject + static_cast<int>(model::Reject::owner_udp_flow_rate));
static_assert(model::kRejects == static_cast<std::size_t>(model::Reject::owner_udp_flow_rate) + 1);

/// A peer may send any number; an entry of what is no port means nothing.
bool is_port(std::uint32_t port) {
  return port >= 1 && port <= std::numeric_limits<std::uint16_t>::max();
}

void limit_to_wire(const model::LimitTraffic& limit, v1::RateLimitStats& out) {
  for (std::size_t i = 0; i < model::kRejects; ++i) {
    if (limit.rejects[i] == 0) continue;
    v1::RateLimitRejectCount& entry = *out.add_reject_total();
    entry.set_reason(static_cast<v1::RateLimitRejectReason>(kFirstReject + static_cast<int>(i)));
    entry.set_total(limit.rejects[i]);
  }
  out.set_throttle_micros_in(limit.throttle_us_in);
  out.set_throttle_micros_out(limit.throttle_us_out);
  out.set_active_connections(limit.active);
}

model::LimitTraffic limit_from_wire(const v1::RateLimitStats& stats) {
  model::LimitTraffic out;
  for (const v1::RateLimitRejectCount& entry : stats.reject_total()) {
    const int index = static_cast<int>(entry.reason()) - static_cast<int>(kFirstReject);
    if (index < 0 || index >= static_cast<int>(model::kRejects)) continue;
    out.rejects[static_cast<std::size_t>(index)] = entry.total();
  }
  out.throttle_us_in = stats.throttle_micros_in();
  out.throttle_us_out = stats.throttle_micros_out();
  out.active = stats.active_connections();
  return out;
}

void port_to_wire(const model::PortTraffic& port, v1::PerPortStats& out) {
  out.set_listen_port(port.listen_port);
  out.set_bytes_in(port.bytes_in);
  out.set_bytes_out(port.bytes_out);
  out.set_active_connections(port.active_connections);
  out.set_datagrams_in(port.datagrams_in);
  out.set_datagrams_out(port.datagrams_out);
}

model::PortTraffic port_from_wire(const v1::PerPortStats& stats) {
  model::PortTraffic out;
  out.listen_port = static_cast<std::uint16_t>(stats.listen_port());
  out.bytes_in = stats.bytes_in();
  out.bytes_out = stats.bytes_out();
  out.active_connections = stats.active_connections();
  out.datagrams_in = stats.datagrams_in();
  out.datagrams_out = stats.datagrams_out();
  return out;
}

void target_to_wire(const model::TargetTraffic& target, v1::PerTargetStats& out) {
  out.set_index(target.index);
  out.set_host(target.host);
  out.set_port(target.port);
  out.set_priority(target.priority);
  out.set_health(target.health);
  out.set_consecutive_failures(target.consecutive_failures);
  out.set_last_failure_at_unix_ms(target.last_failure_unix_ms);
  out.set_last_success_at_unix_ms(target.last_success_unix_ms);
  out.set_bytes_in(target.bytes_in);
  out.set_bytes_out(target.bytes_out);
  out.set_connections_accepted(target.connections);
}

model::TargetTraffic target_from_wire(const v1::PerTargetStats& stats) {
  model::TargetTraffic out;
  out.index = stats.index();
  out.host = stats.host();
  out.port = static_cast<std::uint16_t>(stats.port());
  out.priority = stats.priority();
  out.health = stats.health();
  out.consecutive_failures = stats.consecutive_failures();
  out.last_failure_unix_ms = stats.last_failure_at_unix_ms();
  out.last_success_unix_ms = stats.last_success_at_unix_ms();
  out.bytes_in = stats.bytes_in();
  out.bytes_out = stats.bytes_out();
  out.connections = stats.connections_accepted();
  return out;
}

void rule_to_wire(const model::RuleTraffic& rule, v1::RuleStats& out) {
  out.set_rule_id(rule.rule.value);
  out.set_bytes_in(rule.bytes_in);
  out.set_bytes_out(rule.bytes_out);
  out.set_active_connections(rule.active_connections);
  for (const model::PortTraffic& port : rule.ports) port_to_wire(port, *out.add_per_port());
  out.set_dns_failures(rule.dns_failures);
  out.set_datagrams_in(rule.datagrams_in);
  out.set_datagrams_out(rule.datagrams_out);
  out.set_active_flows(rule.active_flows);
  out.set_flows_dropped_overflow(rule.flows_dropped_overflow);
  out.set_target_failovers_total(rule.target_failovers);
  for (const model::TargetTraffic& target : rule.targets) {
    target_to_wire(target, *out.add_per_target());
  }
  out.set_sni_route_exact_total(rule.sni_exact);
  out.set_sni_route_wildcard_total(rule.sni_wildcard);
  out.set_sni_route_fallback_total(rule.sni_fallback);
  if (rule.limit != model::LimitTraffic{}) limit_to_wire(rule.limit, *out.mutable_rate_limit());
}

model::RuleTraffic rule_from_wire(const v1::RuleStats& stats) {
  model::RuleTraffic out;
  out.rule = RuleId{stats.rule_id()};
  out.bytes_in = stats.bytes_in();
  out.bytes_out = stats.bytes_out();
  out.active_connections = stats.active_connections();
  for (const v1::PerPortStats& port : stats.per_port()) {
    if (is_port(port.listen_port())) out.ports.push_back(port_from_wire(port));
  }
  out.dns_failures = stats.dns_failures();
  out.datagrams_in = stats.datagrams_in();
  out.datagrams_out = stats.datagrams_out();
  out.active_flows = stats.active_flows();
  out.flows_dropped_overflow = stats.flows_dropped_overflow();
  out.target_failovers = stats.target_failovers_total();
  for (const v1::PerTargetStats& target : stats.per_target()) {
    out.targets.push_back(target_from_wire(target));
  }
  out.sni_exact = stats.sni_route_exact_total();
  out.sni_wildcard = stats.sni_route_wildcard_total();
  out.sni_fallback = stats.sni_route_fallback_total();
  out.limit = limit_from_wire(stats.rate_limit());
  return out;
}

void sni_port_to_wire(const model::SniPortTraffic& port, v1::SniListenerStats& out) {
  out.set_listen_port(port.listen_port);
  out.set_sni_route_miss_total(port.misses);
  out.set_client_hello_parse_failures_total(port.parse_failures);
  if (port.peeks != 0) {
    out.mutable_client_hello_peek_bucket_counts()->Assign(port.peek_buckets.begin(),
                                                          port.peek_buckets.end());
  }
  out.set_client_hello_peek_sum_micros(port.peek_sum_micros);
  out.set_client_hello_peek_count(port.peeks);
}

model::SniPortTraffic sni_port_from_wire(const v1::SniListenerStats& stats) {
  model::SniPortTraffic out;
  out.listen_port = static_cast<std::uint16_t>(stats.listen_port());
  out.misses = stats.sni_route_miss_total();
  out.parse_failures = stats.client_hello_parse_failures_total();
  // A peer of 0.9 sends none; any other number has bounds that we do not know.
  if (stats.client_hello_peek_bucket_counts_size() == kBuckets) {
    std::ranges::copy(stats.client_hello_peek_bucket_counts(), out.peek_buckets.begin());
  }
  out.peek_sum_micros = stats.client_hello_peek_sum_micros();
  out.peeks = stats.client_hello_peek_count();
  return out;
}

}  // namespace

void report_to_wire(const model::TrafficReport& report, std::uint64_t sent_at_unix_ms,
                    v1::StatsReport& out) {
  out.set_sent_at_unix_ms(sent_at_unix_ms);
  out.mutable_stats()->Reserve(static_cast<int>(report.rules.size()));
  for (const model::RuleTraffic& rule : report.rules) rule_to_wire(rule, *out.add_stats());
  for (const model::SniPortTraffic& port : report.sni_ports) {
    sni_port_to_wire(port, *out.add_sni_listener_stats());
  }
  for (const model::OwnerTraffic& owner : report.owners) {
    if (owner.limit == model::LimitTraffic{}) continue;
    v1::OwnerRateLimitStats& entry = *out.add_owner_rate_limit_stats();
    entry.set_owner_id(owner.owner_id);
    limit_to_wire(owner.limit, *entry.mutable_stats());
  }
}

model::TrafficReport report_from_wire(const v1::StatsReport& report) {
  model::TrafficReport out;
  out.rules.reserve(static_cast<std::size_t>(report.stats_size()));
  for (const v1::RuleStats& entry : report.stats()) out.rules.push_back(rule_from_wire(entry));
  for (const v1::SniListenerStats& entry : report.sni_listener_stats()) {
    if (is_port(entry.listen_port())) out.sni_ports.push_back(sni_port_from_wire(entry));
  }
  for (const v1::OwnerRateLimitStats& entry : report.owner_rate_limit_stats()) {
    out.owners.push_back({entry.owner_id(), limit_from_wire(entry.stats())});
  }
  return out;
}

}  // namespace portunus::wire
