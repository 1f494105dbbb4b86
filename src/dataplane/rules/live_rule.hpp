#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.hpp"
#include "common/log/limiter.hpp"
#include "common/log/logger.hpp"
#include "common/model/rule.hpp"
#include "common/model/traffic.hpp"
#include "dataplane/failover/dial_order.hpp"
#include "dataplane/failover/dial_plan.hpp"
#include "dataplane/failover/target_health.hpp"
#include "dataplane/limits/limiter.hpp"
#include "dataplane/owners/owner_scope.hpp"
#include "dataplane/stats/rule_counters.hpp"

namespace portunus::dataplane::rules {

/// One activation of one rule as all cores see it, TCP or UDP: what it is, its limits, the health
/// of its targets, its counters, and its log lines. What it is never changes; everything may be
/// used from any thread and nothing blocks.
class LiveRule {
 public:
  /// `owner` is null for a rule without an owner.
  LiveRule(model::RuleSpec spec, std::shared_ptr<owners::OwnerScope> owner, unsigned workers);
  LiveRule(const LiveRule&) = delete;
  LiveRule& operator=(const LiveRule&) = delete;

  RuleId id() const { return spec_.id; }
  const model::RuleSpec& spec() const { return spec_; }
  bool multi_target() const { return spec_.multi_target(); }

  limits::Limiter& limiter() { return limiter_; }
  limits::Limiter* owner_limiter() { return owner_ ? &owner_->limiter : nullptr; }
  /// Null for a rule without an owner; an owner without a quota has an unmetered one.
  quota::QuotaGate* quota() { return owner_ ? &owner_->quota : nullptr; }
  const owners::OwnerScope* owner() const { return owner_.get(); }

  stats::RuleCounters& counters() { return counters_; }
  /// Everything that is reported of the rule (data-plane section 15).
  model::RuleTraffic traffic() const;

  /// The rows as they are dialled.
  const failover::DialTargets& targets() const { return targets_; }
  /// Which rows a new connection or flow tries, in order (FO-4). A single-target rule has one row.
  failover::Order dial_order() const { return failover::dial_order(preference_, health()); }
  /// Outcome of a dial or a probe of a row (FO-2): counts and logs the transition it brings (FO-3).
  /// Nothing for a single-target rule, which has no health.
  void record_failure(std::size_t row, SteadyTime now);
  void record_success(std::size_t row, SteadyTime now);
  std::span<const failover::TargetHealth> health() const {
    return {health_.get(), spec_.targets.size()};
  }

  /// A line about this rule: its id (and name) come first, then `fields`, then multi_target where
  /// the event has it and the rule is one.
  void log(log::Event event, log::Fields fields = {}) const;
  void log_at(log::Level level, log::Event event, log::Fields fields) const;
  /// The same for a line that peers can provoke: suppressed when it comes too often, through the
  /// limiter that the caller keeps per event (observability section 1, events marked ◇).
  void log_limited(log::Event event, log::SharedLimiter& limiter, log::Fields fields) const;

 private:
  std::vector<log::Field> with_rule(log::Event event, log::Fields fields) const;
  void on_change(std::size_t row, const failover::TargetHealth::Change& change);

  const model::RuleSpec spec_;
  const std::string id_text_;
  const std::shared_ptr<owners::OwnerScope> owner_;
  limits::Limiter limiter_;
  const failover::DialTargets targets_;
  const failover::Order preference_;
  const std::unique_ptr<failover::TargetHealth[]> health_;
  std::atomic<std::uint64_t> failovers_{0};
  stats::RuleCounters counters_;
};

}  // namespace portunus::dataplane::rules
