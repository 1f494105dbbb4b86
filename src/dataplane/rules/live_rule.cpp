#include "dataplane/rules/live_rule.hpp"

#include <chrono>
#include <utility>
#include <vector>

namespace portunus::dataplane::rules {
namespace {

std::uint64_t unix_ms_now() {
  return static_cast<std::uint64_t>(to_unix_millis(SystemClock::instance().now()));
}

/// The table says which lines name a multi-target rule as one.
bool names_multi_target(log::Event event) {
  return log::info(event).fields.contains("multi_target");
}

}  // namespace

LiveRule::LiveRule(model::RuleSpec spec, std::shared_ptr<owners::OwnerScope> owner,
                   unsigned workers)
    : spec_(std::move(spec)),
      id_text_(std::to_string(spec_.id.value)),
      owner_(std::move(owner)),
      targets_(spec_),
      preference_(failover::preference(spec_.targets)),
      health_(std::make_unique<failover::TargetHealth[]>(spec_.targets.size())),
      counters_(spec_, workers) {
  limiter_.apply(spec_.rate_limit, SystemClock::instance().steady_now());
}

model::RuleTraffic LiveRule::traffic() const {
  model::RuleTraffic out = counters_.totals();
  out.limit = limiter_.traffic();
  // Without caps it counts only so that caps may come (RL-12), and has nothing to say.
  if (!limiter_.capped()) out.limit.active = 0;
  out.target_failovers = failovers_.load(std::memory_order_relaxed);
  for (model::TargetTraffic& target : out.targets) {
    const model::Target& row = spec_.targets[target.index];
    const failover::TargetHealth& health = health_[target.index];
    target.host = row.host;
    target.port = row.port;
    target.priority = row.priority;
    target.health = health.health() == failover::Health::healthy ? 0 : 1;
    target.consecutive_failures = health.consecutive_failures();
    target.last_failure_unix_ms = health.last_failure_unix_ms();
    target.last_success_unix_ms = health.last_success_unix_ms();
  }
  return out;
}

void LiveRule::record_failure(std::size_t row, SteadyTime now) {
  if (!multi_target()) return;
  const auto change = health_[row].record_failure(now, unix_ms_now());
  if (change) on_change(row, *change);
}

void LiveRule::record_success(std::size_t row, SteadyTime now) {
  if (!multi_target()) return;
  const auto change = health_[row].record_success(now, unix_ms_now());
  if (change) on_change(row, *change);
}

void LiveRule::on_change(std::size_t row, const failover::TargetHealth::Change& change) {
  failovers_.fetch_add(1, std::memory_order_relaxed);
  const bool failed = change.to == failover::Health::failed;
  log_at(failed ? log::Level::warn : log::Level::info, log::Event::target_health_changed,
         {{"target_index", row},
          {"target_host", spec_.targets[row].host},
          {"target_port", spec_.targets[row].port},
          {"from", failover::health_name(change.from)},
          {"to", failover::health_name(change.to)},
          {"consecutive_failures", change.consecutive_failures}});
}

void LiveRule::log(log::Event event, log::Fields fields) const {
  log_at(log::info(event).level, event, fields);
}

void LiveRule::log_at(log::Level level, log::Event event, log::Fields fields) const {
  if (log::enabled(event)) log::log_fields(level, event, with_rule(event, fields));
}

std::vector<log::Field> LiveRule::with_rule(log::Event event, log::Fields fields) const {
  std::vector<log::Field> all;
  all.reserve(fields.size() + 4);
  all.push_back({"rule_id", id_text_});
  if (!spec_.label.empty()) all.push_back({"rule_name", spec_.label});
  all.insert(all.end(), fields);
  if (multi_target() && names_multi_target(event)) all.push_back({"multi_target", true});
  return all;
}

void LiveRule::log_limited(log::Event event, log::SharedLimiter& limiter,
                           log::Fields fields) const {
  if (!log::enabled(event)) return;
  const auto suppressed = limiter.admit(std::chrono::steady_clock::now());
  if (!suppressed) return;
  std::vector<log::Field> all = with_rule(event, fields);
  if (*suppressed > 0) all.push_back({"suppressed", *suppressed});
  log::log_fields(log::info(event).level, event, all);
}

}  // namespace portunus::dataplane::rules
