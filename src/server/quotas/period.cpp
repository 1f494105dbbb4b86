#include "server/quotas/period.hpp"

#include <algorithm>
#include <chrono>

namespace portunus::server::quotas {
namespace {

using std::chrono::days;
using std::chrono::months;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::sys_seconds;
using std::chrono::year_month;
using std::chrono::year_month_day;

constexpr std::int64_t seconds_of(year_month_day date) {
  return sys_seconds(sys_days(date)).time_since_epoch().count();
}

constexpr std::int64_t kFirstAnchor = seconds_of(year_month_day(std::chrono::year(0) / 1 / 1));
constexpr std::int64_t kPastLastAnchor =
    seconds_of(year_month_day(std::chrono::year(10'000) / 1 / 1));

year_month month_of(std::int64_t instant) {
  const year_month_day date(std::chrono::floor<days>(sys_seconds(seconds(instant))));
  return date.year() / date.month();
}

/// The last period that has begun at `instant`; -1 before the anchor.
std::int64_t last_begun(std::int64_t anchor, std::int64_t instant) {
  if (instant < anchor) return -1;
  // Also keeps the instant within what a calendar date can express.
  if (instant >= period_start(anchor, kLastPeriod)) return kLastPeriod;
  const std::int64_t n = (month_of(instant) - month_of(anchor)).count();
  return period_start(anchor, n) <= instant ? n : n - 1;
}

}  // namespace

bool is_billing_anchor(std::int64_t instant) {
  return instant >= kFirstAnchor && instant < kPastLastAnchor;
}

std::int64_t period_start(std::int64_t anchor, std::int64_t n) {
  const sys_seconds at{seconds(anchor)};
  const auto day = std::chrono::floor<days>(at);
  const year_month_day date(day);
  const year_month month = date.year() / date.month() + months(n);
  const auto last = (month / std::chrono::last).day();
  const sys_days begins = month / std::min(date.day(), last);
  return (begins + (at - day)).time_since_epoch().count();
}

std::int64_t period_end(std::int64_t anchor, std::int64_t start) {
  if (!is_billing_anchor(anchor)) return kNoPeriodEnd;
  const std::int64_t next = last_begun(anchor, start) + 1;
  return next > kLastPeriod ? kNoPeriodEnd : period_start(anchor, next);
}

std::int64_t period_containing(std::int64_t anchor, std::int64_t start, std::int64_t now) {
  if (!is_billing_anchor(anchor)) return start;
  const std::int64_t n = last_begun(anchor, now);
  return n < 0 ? start : std::max(start, period_start(anchor, n));
}

}  // namespace portunus::server::quotas
