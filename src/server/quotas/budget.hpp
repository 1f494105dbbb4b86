#pragma once

#include <cstdint>

#include "common/model/quota.hpp"
#include "server/store/rows.hpp"

namespace portunus::server::quotas {

// What may happen to a quota's row, without store or clock (store-and-quotas 6.2 to 6.5). Each
// change leaves `exhausted_at` as the rule of 6.4 wants it, and `updated_at` at `now`, Unix
// seconds.

/// What a change has brought about besides the new numbers.
struct Effect {
  bool rolled = false;     ///< a later period began
  bool exhausted = false;  ///< the budget was not used up before and is now
  Effect& operator+=(Effect other) {
    rolled = rolled || other.rolled;
    exhausted = exhausted || other.exhausted;
    return *this;
  }
};

/// A quota in period 0, which is where it starts whatever the time is.
Effect open_quota(store::QuotaRow& quota, std::int64_t monthly_bytes, std::int64_t anchor,
                  std::int64_t now);
Effect set_limit(store::QuotaRow& quota, std::int64_t monthly_bytes, std::int64_t now);
/// The operator's credit: the period goes on unused.
Effect clear_usage(store::QuotaRow& quota, std::int64_t now);
/// Begins the period that contains `now` if it has not begun; else changes nothing.
Effect roll(store::QuotaRow& quota, std::int64_t now);
/// Books delivered bytes, after roll(). Usage stays at the greatest number rather than pass it.
Effect book(store::QuotaRow& quota, std::uint64_t bytes, std::int64_t now);

std::int64_t period_end(const store::QuotaRow& quota);
/// May be negative.
std::int64_t remaining(const store::QuotaRow& quota);
/// As an edge is told.
model::QuotaState state_of(const store::QuotaRow& quota);

}  // namespace portunus::server::quotas
