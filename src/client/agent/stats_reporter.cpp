#include "client/agent/stats_reporter.hpp"

#include <algorithm>
#include <utility>

namespace portunus::client::agent {

void StatsReporter::begin_session(SteadyTime now) {
  rules_.begin_session();
  sni_ports_.begin_session();
  owners_.begin_session();
  tick(now);
}

void StatsReporter::end_session() {
  due_.reset();
  // Its write never completed: what it carried belongs to the next session.
  if (sent_) settle(*sent_, false);
}

void StatsReporter::update_rules(std::span<const model::RuleTraffic> counters) {
  for (const model::RuleTraffic& entry : counters) rules_.update(entry.rule, entry);
}

void StatsReporter::update_sni_ports(std::span<const model::SniPortTraffic> counters) {
  for (const std::uint16_t port : sni_ports_.listed()) {
    const auto it = std::ranges::find(counters, port, &model::SniPortTraffic::listen_port);
    if (it == counters.end()) sni_ports_.unlist(port);
  }
  for (const model::SniPortTraffic& entry : counters) {
    sni_ports_.update(entry.listen_port, entry);
  }
}

void StatsReporter::update_owners(std::span<const model::OwnerTraffic> counters) {
  for (const std::string& owner : owners_.listed()) owners_.clear_gauges(owner);
  for (const model::OwnerTraffic& entry : counters) owners_.update(entry.owner_id, entry);
}

void StatsReporter::replaced_ended(const model::RuleTraffic& then, const model::RuleTraffic& last) {
  if (!model::covers_counters(last, then)) return;
  model::RuleTraffic drained = last;
  model::subtract_counters(drained, then);
  rules_.add(last.rule, drained);
}

void StatsReporter::ended(const model::RuleTraffic& last) {
  rules_.update(last.rule, last);
  rules_.clear_gauges(last.rule);
}

std::optional<StatsReporter::Report> StatsReporter::report() {
  Report out{last_number_ + 1, {rules_.report(), sni_ports_.report(), owners_.report()}};
  if (out.traffic.rules.empty() && out.traffic.sni_ports.empty()) {
    owners_.drop();
    return std::nullopt;
  }
  sent_ = last_number_ = out.number;
  return out;
}

void StatsReporter::settle(std::uint64_t number, bool delivered) {
  if (sent_ != number) return;
  sent_.reset();
  if (delivered) {
    rules_.confirm();
    sni_ports_.confirm();
    owners_.confirm();
  } else {
    rules_.drop();
    sni_ports_.drop();
    owners_.drop();
  }
}

}  // namespace portunus::client::agent
