#include "common/log/limiter.hpp"

#include <algorithm>
#include <utility>

namespace portunus::log {

std::optional<std::uint64_t> Limiter::admit(SteadyTime now) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now - refilled_);
  if (seconds.count() > 0) {
    tokens_ = static_cast<int>(std::min<std::int64_t>(kLimiterBurst, tokens_ + seconds.count()));
    refilled_ = tokens_ == kLimiterBurst ? now : refilled_ + seconds;
  }
  if (tokens_ == 0) {
    ++suppressed_;
    return std::nullopt;
  }
  --tokens_;
  return std::exchange(suppressed_, 0);
}

std::optional<std::uint64_t> SharedLimiter::admit(SteadyTime now) {
  using std::chrono::nanoseconds;
  const std::int64_t share = nanoseconds(std::chrono::seconds(1)).count() / rate_.per_second;
  const std::int64_t time = nanoseconds(now.time_since_epoch()).count();
  std::int64_t whole = whole_at_.load(std::memory_order_relaxed);
  while (true) {
    const std::int64_t next = std::max(whole, time) + share;
    if (next - time > rate_.burst * share) {
      suppressed_.fetch_add(1, std::memory_order_relaxed);
      return std::nullopt;
    }
    if (whole_at_.compare_exchange_weak(whole, next, std::memory_order_relaxed)) {
      return suppressed_.exchange(0, std::memory_order_relaxed);
    }
  }
}

}  // namespace portunus::log
