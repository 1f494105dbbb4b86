#include "common/wire/traffic_wire.hpp"

namespace portunus::wire {

void report_to_wire(std::span<const model::RuleTraffic> rules, std::uint64_t sent_at_unix_ms,
                    v1::StatsReport& out) {
  out.set_sent_at_unix_ms(sent_at_unix_ms);
  out.mutable_stats()->Reserve(static_cast<int>(rules.size()));
  for (const model::RuleTraffic& rule : rules) {
    v1::RuleStats& entry = *out.add_stats();
    entry.set_rule_id(rule.rule.value);
    entry.set_bytes_in(rule.bytes_in);
    entry.set_bytes_out(rule.bytes_out);
    entry.set_active_connections(rule.active_connections);
  }
}

std::vector<model::RuleTraffic> report_from_wire(const v1::StatsReport& report) {
  std::vector<model::RuleTraffic> out;
  out.reserve(static_cast<std::size_t>(report.stats_size()));
  for (const v1::RuleStats& entry : report.stats()) {
    out.push_back(
        {RuleId{entry.rule_id()}, entry.bytes_in(), entry.bytes_out(), entry.active_connections()});
  }
  return out;
}

}  // namespace portunus::wire
