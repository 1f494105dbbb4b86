#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "client/agent/counter_book.hpp"
#include "common/base/clock.hpp"
#include "common/base/ids.hpp"
#include "common/model/traffic.hpp"

namespace portunus::client::agent {

/// When to report, and which numbers (control-wire section 8, D8). Behind each counter stands a
/// total that never falls while the process lives; a session counts from 0 plus what no earlier
/// session delivered, so a server that books the growth within each session books everything once,
/// whatever sessions end in between.
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
  void update_rules(std::span<const model::RuleTraffic> counters);
  /// The same for the ports in SNI mode. One without an entry has left it: it is not reported, and
  /// its total waits for its return.
  void update_sni_ports(std::span<const model::SniPortTraffic> counters);
  /// The same for the owners; one without an entry has no live connection.
  void update_owners(std::span<const model::OwnerTraffic> counters);

  /// The rule starts anew under its id: its next counters begin at 0 again, and its total goes on.
  /// Returns what the old activation counted so far; it drains beside the new one.
  model::RuleTraffic replaced(RuleId rule) { return rules_.restart(rule); }
  /// What that one moved in all, given what replaced() returned for it.
  void replaced_ended(const model::RuleTraffic& then, const model::RuleTraffic& last);
  /// The last numbers of a rule, which stays in the reports.
  void ended(const model::RuleTraffic& last);
  /// The rule has ended while the process lives on: it leaves the reports once all it moved has
  /// been delivered.
  void retire(RuleId rule) { rules_.retire(rule); }

  /// The numbers of this session, and the number to confirm them with. Nothing while no rule is
  /// known, ended ones with undelivered numbers among them, and no port is in SNI mode.
  struct Report {
    std::uint64_t number;
    model::TrafficReport traffic;
  };
  std::optional<Report> report();
  /// True while a report is on its way: its successor would find the queue full.
  bool outstanding() const { return sent_.has_value(); }
  /// The fate of a report.
  void settle(std::uint64_t number, bool delivered);

 private:
  std::chrono::steady_clock::duration interval_;
  std::optional<SteadyTime> due_;
  CounterBook<RuleId, model::RuleTraffic> rules_;
  CounterBook<std::uint16_t, model::SniPortTraffic> sni_ports_;
  CounterBook<std::string, model::OwnerTraffic> owners_;
  /// Number of the report that is on its way.
  std::optional<std::uint64_t> sent_;
  std::uint64_t last_number_ = 0;
};

}  // namespace portunus::client::agent
