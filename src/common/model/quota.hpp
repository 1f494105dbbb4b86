#pragma once

#include <cstdint>

namespace portunus::model {

/// A monthly byte budget of one owner on one edge as its server states it (control-wire 2.4).
struct QuotaState {
  std::int64_t monthly_bytes = 0;
  /// Cap minus used; may be negative.
  std::int64_t budget_remaining_bytes = 0;
  /// Unix seconds, UTC.
  std::int64_t period_started_at = 0;
  std::int64_t period_ends_at = 0;
  /// The server's verdict.
  bool exhausted = false;
  friend bool operator==(const QuotaState&, const QuotaState&) = default;
};

}  // namespace portunus::model
