#include "client/agent/stats_reporter.hpp"

#include <utility>

namespace portunus::client::agent {

void StatsReporter::begin_session(SteadyTime now) {
  for (auto& [id, rule] : rules_) rule.session_base = rule.delivered;
  tick(now);
}

void StatsReporter::end_session() {
  due_.reset();
  // Its write never completed: what it carried belongs to the next session.
  sent_.reset();
}

void StatsReporter::update(std::span<const model::RuleTraffic> counters) {
  for (const model::RuleTraffic& entry : counters) {
    Rule& rule = rules_[entry.rule];
    rule.counted = {entry.bytes_in, entry.bytes_out};
    rule.active = entry.active_connections;
  }
}

model::RuleTraffic StatsReporter::replaced(RuleId id) {
  Rule& rule = rules_[id];
  const Bytes counted = std::exchange(rule.counted, {});
  rule.earlier.in += counted.in;
  rule.earlier.out += counted.out;
  rule.active = 0;
  return {id, counted.in, counted.out, 0};
}

void StatsReporter::replaced_ended(const model::RuleTraffic& then, const model::RuleTraffic& last) {
  const auto it = rules_.find(last.rule);
  if (it == rules_.end() || last.bytes_in < then.bytes_in || last.bytes_out < then.bytes_out)
    return;
  it->second.earlier.in += last.bytes_in - then.bytes_in;
  it->second.earlier.out += last.bytes_out - then.bytes_out;
}

void StatsReporter::ended(const model::RuleTraffic& last) {
  update({&last, 1});
  rules_[last.rule].active = 0;
}

void StatsReporter::forget(RuleId rule) {
  rules_.erase(rule);
  if (sent_) sent_->totals.erase(rule);
}

std::optional<StatsReporter::Report> StatsReporter::report() {
  if (rules_.empty()) return std::nullopt;
  Sent sent{++last_number_, {}};
  Report out{sent.number, {}};
  out.rules.reserve(rules_.size());
  for (const auto& [id, rule] : rules_) {
    const Bytes total = rule.total();
    sent.totals.emplace(id, total);
    out.rules.push_back(
        {id, total.in - rule.session_base.in, total.out - rule.session_base.out, rule.active});
  }
  sent_ = std::move(sent);
  return out;
}

void StatsReporter::settle(std::uint64_t number, bool delivered) {
  if (!sent_ || sent_->number != number) return;
  if (delivered) {
    for (const auto& [id, total] : sent_->totals) {
      if (const auto it = rules_.find(id); it != rules_.end()) it->second.delivered = total;
    }
  }
  sent_.reset();
}

}  // namespace portunus::client::agent
