#include <array>
#include <string>

#include "server/metrics/family.hpp"

namespace portunus::server::metrics {
namespace {

using model::RuleTraffic;
using prometheus::MetricType;

struct RuleCounter {
  const char* name;
  const char* help;
  std::uint64_t RuleTraffic::* value;
};

constexpr auto kCounters = std::to_array<RuleCounter>({
    {"portunus_rule_bytes_in_total", "Payload bytes delivered to targets.", &RuleTraffic::bytes_in},
    {"portunus_rule_bytes_out_total", "Payload bytes delivered to users.", &RuleTraffic::bytes_out},
    {"portunus_rule_dns_failures_total", "Connections and first datagrams lost to DNS.",
     &RuleTraffic::dns_failures},
    {"portunus_rule_udp_datagrams_in_total", "UDP datagrams received from users.",
     &RuleTraffic::datagrams_in},
    {"portunus_rule_udp_datagrams_out_total", "UDP datagrams sent to users.",
     &RuleTraffic::datagrams_out},
    {"portunus_rule_flows_dropped_overflow_total",
     "First datagrams dropped because the flow table was full.",
     &RuleTraffic::flows_dropped_overflow},
    {"portunus_rule_target_failovers_total", "Health changes of a rule's targets.",
     &RuleTraffic::target_failovers},
});

struct SniResult {
  const char* result;
  std::uint64_t RuleTraffic::* value;
};

constexpr auto kSniResults = std::to_array<SniResult>({
    {"exact", &RuleTraffic::sni_exact},
    {"fallback", &RuleTraffic::sni_fallback},
    {"wildcard", &RuleTraffic::sni_wildcard},
});

Labels labels_of(const Snapshot::Rule& rule) {
  return {{"client", rule.client}, {"owner", rule.owner}, {"rule", std::to_string(rule.rule)}};
}

Labels labels_of(const Snapshot::SniPort& port) {
  return {{"client", port.client}, {"port", std::to_string(port.port)}};
}

}  // namespace

void add_rule_gauges(std::span<const Snapshot::Rule> rules, Families& families) {
  Family connections("portunus_rule_active_connections", "Open TCP connections of a rule.",
                     MetricType::Gauge);
  Family flows("portunus_rule_active_flows", "Live UDP flows of a rule.", MetricType::Gauge);
  for (const Snapshot::Rule& rule : rules) {
    if (!rule.live) continue;
    connections.add(labels_of(rule), std::uint64_t{rule.active_connections});
    flows.add(labels_of(rule), std::uint64_t{rule.active_flows});
  }
  std::move(connections).append_to(families);
  std::move(flows).append_to(families);
}

void add_rule_counters(std::span<const Snapshot::Rule> rules, Families& families) {
  for (const RuleCounter& counter : kCounters) {
    Family family(counter.name, counter.help, MetricType::Counter);
    for (const Snapshot::Rule& rule : rules) {
      // Most counters of most rules have seen nothing, and labels are costly.
      const std::uint64_t value = rule.total.*counter.value;
      if (value > 0) family.add(labels_of(rule), value);
    }
    std::move(family).append_to(families);
  }
}

void add_sni_gauge(const Snapshot& snapshot, Families& families) {
  Family active("portunus_tls_sni_routes_active", "Active rules with an SNI pattern.",
                MetricType::Gauge);
  active.add({}, std::uint64_t{snapshot.sni_routes_active});
  std::move(active).append_to(families);
}

void add_sni_routes(std::span<const Snapshot::Rule> rules, Families& families) {
  Family routes("portunus_tls_sni_route_total", "TLS connections by how they found their rule.",
                MetricType::Counter);
  for (const Snapshot::Rule& rule : rules) {
    for (const SniResult& result : kSniResults) {
      const std::uint64_t value = rule.total.*result.value;
      if (value == 0) continue;
      Labels labels = labels_of(rule);
      labels.insert(labels.end() - 1, {"result", result.result});
      routes.add(std::move(labels), value);
    }
  }
  std::move(routes).append_to(families);
}

void add_sni_ports(std::span<const Snapshot::SniPort> ports, Families& families) {
  Family misses("portunus_tls_sni_listener_miss_total", "TLS connections that no rule takes.",
                MetricType::Counter);
  Family faults("portunus_tls_sni_listener_parse_failures_total", "Unreadable ClientHellos.",
                MetricType::Counter);
  Family peeks("portunus_tls_client_hello_peek_duration_seconds",
               "Time until a ClientHello was read.", MetricType::Histogram);
  for (const Snapshot::SniPort& port : ports) {
    misses.add_counted(labels_of(port), port.total.misses);
    faults.add_counted(labels_of(port), port.total.parse_failures);
    if (port.total.peeks > 0) peeks.add_peeks(labels_of(port), port.total);
  }
  std::move(misses).append_to(families);
  std::move(faults).append_to(families);
  std::move(peeks).append_to(families);
}

}  // namespace portunus::server::metrics
