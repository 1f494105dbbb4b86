#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "common/base/clock.hpp"

namespace portunus::log {

/// Lines before suppression begins.
inline constexpr int kLimiterBurst = 10;

/// How much of an event passes a limiter.
struct LimiterRate {
  int burst;
  int per_second;
};
/// Events that repeat while a state lasts (observability, section 1, the events marked ◇).
inline constexpr LimiterRate kRepeats{kLimiterBurst, 1};
/// Events of single connections and flows, each of which has its line, so long as they are no
/// flood.
inline constexpr LimiterRate kSingles{1000, 100};

/// Repeat suppression of one event of one rule: a burst of 10 lines, then one per second
/// (observability, section 1, the events marked ◇). One thread.
class Limiter {
 public:
  /// The number of lines suppressed since the last admitted one, or nothing when this line must
  /// be suppressed as well.
  std::optional<std::uint64_t> admit(SteadyTime now);

 private:
  int tokens_ = kLimiterBurst;
  SteadyTime refilled_{};
  std::uint64_t suppressed_ = 0;
};

/// The same suppression for an event that several threads raise, without a lock. A line more or
/// less may be counted as suppressed by the one that follows.
class SharedLimiter {
 public:
  explicit SharedLimiter(LimiterRate rate = kRepeats) : rate_(rate) {}
  /// As Limiter::admit().
  std::optional<std::uint64_t> admit(SteadyTime now);

 private:
  const LimiterRate rate_;
  // When the burst will be whole again if nothing else is admitted, in steady-clock nanoseconds.
  std::atomic<std::int64_t> whole_at_{0};
  std::atomic<std::uint64_t> suppressed_{0};
};

}  // namespace portunus::log
