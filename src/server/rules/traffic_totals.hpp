#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "common/base/clock.hpp"
#include "common/model/traffic.hpp"
#include "server/rules/rule_service.hpp"
#include "server/store/rows.hpp"

namespace portunus::server::rules {

/// Turns the cumulative counters of the reports into totals that never fall (control-wire 8, D8).
/// A removed rule is remembered with its baselines, a few words each, so that what arrives late is
/// counted once and for the right client. One thread.
class TrafficTotals {
 public:
  /// Every baseline of the client is 0 again.
  void start_session(std::string_view client_id);
  /// An entry about a live rule of the reporting client.
  void report(const store::RuleRow& rule, const model::RuleTraffic& traffic, SystemTime now);
  /// An entry about a rule that is not live: counts under "_unknown" when it was this client's.
  void report_late(std::string_view client_id, const model::RuleTraffic& traffic, SystemTime now);
  /// The rule is gone: its snapshot and gauges end, its totals stay.
  void remove(const store::RuleRow& rule);
  void rename(RuleId id, std::string_view client_name);

  /// Nothing while no report has arrived, and after the removal.
  const RuleNumbers* numbers(RuleId id) const;
  const std::map<TotalsKey, RuleNumbers>& all() const { return totals_; }

 private:
  using Totals = std::map<TotalsKey, RuleNumbers>;
  struct Track {
    std::string client_id;
    std::string client_name;
    std::uint64_t bytes_in = 0;  ///< baselines
    std::uint64_t bytes_out = 0;
    bool removed = false;
    /// Where the rule's numbers stand; end of the map before the first report.
    Totals::iterator numbers;
  };

  static void add(Track& track, RuleNumbers& numbers, const model::RuleTraffic& traffic);
  Track& track_of(const store::RuleRow& rule);

  Totals totals_;
  std::unordered_map<RuleId, Track> tracks_;
};

}  // namespace portunus::server::rules
