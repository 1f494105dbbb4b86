#include "server/web_auth/lock_rule.hpp"

#include <algorithm>

namespace portunus::server::web_auth {
namespace {

std::chrono::seconds lock_of(int failures) {
  // The longest lock is reached after a few doublings; more would overflow.
  const int doublings = std::min(failures - kFailuresToLock, 10);
  return std::min(kFirstLock * (1 << doublings), kLongestLock);
}

bool burst_over(const store::AttemptRow& attempts, SystemTime now) {
  // A failure far ahead of now was written before the clock was set back, and tells nothing.
  return (attempts.locked_until && now >= *attempts.locked_until) ||
         std::chrono::abs(now - attempts.last_failed_at) >= kBurstGap;
}

}  // namespace

std::optional<std::chrono::seconds> lock_left(const store::AttemptRow& attempts, SystemTime now) {
  if (!attempts.locked_until || now >= *attempts.locked_until) return std::nullopt;
  const auto left = std::chrono::ceil<std::chrono::seconds>(*attempts.locked_until - now);
  // The clock was set back, so the row says nothing about how long ago it was written.
  if (left > kLongestLock) return std::nullopt;
  return left;
}

store::AttemptRow after_failure(const std::optional<store::AttemptRow>& before, SystemTime now) {
  store::AttemptRow after{
      .failures = 1, .first_failed_at = now, .last_failed_at = now, .locked_until = std::nullopt};
  if (before && !burst_over(*before, now)) {
    after.failures = before->failures + 1;
    after.first_failed_at = before->first_failed_at;
  }
  if (after.failures >= kFailuresToLock) after.locked_until = now + lock_of(after.failures);
  return after;
}

}  // namespace portunus::server::web_auth
