#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/ids.hpp"
#include "common/model/traffic.hpp"

namespace portunus::client::agent {

/// When to report, and which numbers (control-wire section 8, D8). Behind each rule stands a total
/// that never falls while the process lives; a session counts from 0 plus what no earlier session
/// delivered, so a server that books the growth within each session books every byte once, whatever
/// sessions end in between.
///
/// A report counts as delivered when its write completed; one whose fate is unknown when its
/// session ends does not. No I/O; one thread.
class StatsReporter {
 public:
  explicit StatsReporter(std::chrono::steady_clock::duration interval) : interval_(interval) {}

  void begin_session(SteadyTime now);
  void end_session();

  /// When the next report is due; nothing without a session.
  std::optional<SteadyTime> due() const { return due_; }
  /// Moves on to the next tick, a full interval from `now`: late ticks are not bunched.
  void tick(SteadyTime now) { due_ = now + interval_; }

  /// Takes over what the engine counted; entries of unknown rules begin at 0, rules without an
  /// entry keep their last numbers.
  void update(std::span<const model::RuleTraffic> counters);
  /// The rule starts anew under its id: its next counters begin at 0 again, and its total goes on.
  /// Returns what the old activation counted so far; it drains beside the new one.
  model::RuleTraffic replaced(RuleId rule);
  /// What that one moved in all, given what replaced() returned for it.
  void replaced_ended(const model::RuleTraffic& then, const model::RuleTraffic& last);
  /// The last numbers of a rule that stays in the reports, because the process ends with it.
  void ended(const model::RuleTraffic& last);
  /// The rule is gone from the reports; under the same id it would begin at 0.
  void forget(RuleId rule);

  /// The numbers of this session for every known rule, and the number to confirm them with. Nothing
  /// while no rule is known.
  struct Report {
    std::uint64_t number;
    std::vector<model::RuleTraffic> rules;
  };
  std::optional<Report> report();
  /// True while a report is on its way: its successor would find the queue full.
  bool outstanding() const { return sent_.has_value(); }
  /// The fate of a report.
  void settle(std::uint64_t number, bool delivered);

 private:
  struct Bytes {
    std::uint64_t in = 0;
    std::uint64_t out = 0;
  };
  struct Rule {
    Bytes earlier;       ///< moved by former activations of this id, as far as known
    Bytes counted;       ///< by the present one
    Bytes delivered;     ///< of the total, so far
    Bytes session_base;  ///< delivered by earlier sessions
    std::uint32_t active = 0;
    Bytes total() const { return {earlier.in + counted.in, earlier.out + counted.out}; }
  };
  struct Sent {
    std::uint64_t number;
    std::map<RuleId, Bytes> totals;
  };

  std::chrono::steady_clock::duration interval_;
  std::optional<SteadyTime> due_;
  std::map<RuleId, Rule> rules_;
  std::optional<Sent> sent_;
  std::uint64_t last_number_ = 0;
};

}  // namespace portunus::client::agent
