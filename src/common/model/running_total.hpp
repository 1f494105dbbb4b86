#pragma once

#include <cstdint>

#include "common/base/saturating.hpp"
#include "common/model/traffic_counters.hpp"

namespace portunus::model {

/// What a cumulative counter adds over its baseline (control-wire 8): nothing for a lower value,
/// which was counted anew.
std::uint64_t rise(std::uint64_t baseline, std::uint64_t value);

/// Totals of one kind of record over the sessions of an edge, whose reports are cumulative within
/// each (D8): they never fall. Counters alone; the detail per port and per target has no totals.
template <class Record>
class RunningTotal {
 public:
  /// A session begins: every baseline is 0 again.
  void start_session() { baseline_ = {}; }
  /// Takes a report in; the differences it made, in a record without anything else.
  Record report(const Record& now) {
    Record added{};
    assign_counters(added, now);
    zip_counters(added, baseline_,
                 [](std::uint64_t& mine, std::uint64_t before) { mine = rise(before, mine); });
    zip_counters(total_, added,
                 [](std::uint64_t& mine, std::uint64_t more) { add_saturating(mine, more); });
    assign_counters(baseline_, now);
    return added;
  }
  const Record& total() const { return total_; }
  const Record& baseline() const { return baseline_; }

 private:
  Record total_{};
  Record baseline_{};
};

}  // namespace portunus::model
