#pragma once

#include <cstdint>
#include <limits>

namespace portunus::server::quotas {

// The calendar of billing periods (store-and-quotas 6.2). Period n begins n calendar months after
// the anchor, always counted from the anchor itself: at its hour, minute and second UTC, on its day
// or the last one of a shorter month. All instants are Unix seconds.

/// What stands for the end of a period that has none.
inline constexpr std::int64_t kNoPeriodEnd = std::numeric_limits<std::int64_t>::max();
/// The last period that begins; the one after it would be 1000 years from the anchor.
inline constexpr std::int64_t kLastPeriod = 12'000;

/// Of the years 0000 to 9999, which RFC 3339 can write.
bool is_billing_anchor(std::int64_t instant);

/// When period `n`, 0 to kLastPeriod, begins; the anchor must be one.
std::int64_t period_start(std::int64_t anchor, std::int64_t n);

/// The first period start after `start`, which a hand may have moved off all of them; kNoPeriodEnd
/// beyond the last period, or when the stored anchor is none.
std::int64_t period_end(std::int64_t anchor, std::int64_t start);

/// The start of the period that contains `now`, or `start` when no period has begun since: a period
/// that begins now has begun, and starts never move back.
std::int64_t period_containing(std::int64_t anchor, std::int64_t start, std::int64_t now);

}  // namespace portunus::server::quotas
