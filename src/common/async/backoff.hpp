#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>

namespace portunus::async {

/// Full-jitter backoff: before attempt n (from 0) a uniformly random wait of
/// 0 .. max(1, min(base * 2^n, cap)) ms (control-wire 5.4, cli-and-config 7).
class Backoff {
 public:
  using Millis = std::chrono::milliseconds;
  Backoff(Millis base, Millis cap, std::uint64_t seed) : base_(base), cap_(cap), rng_(seed) {}

  /// The wait before the next attempt; the attempt number grows by one.
  Millis next() {
    std::uniform_int_distribution<std::int64_t> spread(0, ceiling().count());
    if (attempt_ < 62) ++attempt_;
    return Millis(spread(rng_));
  }
  void reset() { attempt_ = 0; }
  /// The most that next() can return now.
  Millis ceiling() const {
    const std::int64_t base = std::max<std::int64_t>(base_.count(), 0);
    const std::int64_t cap = std::max<std::int64_t>(cap_.count(), 1);
    const bool grown = attempt_ >= 62 || base > (cap >> attempt_);
    return Millis(std::max<std::int64_t>(1, grown ? cap : std::min(base << attempt_, cap)));
  }

 private:
  Millis base_;
  Millis cap_;
  unsigned attempt_ = 0;
  std::mt19937_64 rng_;
};

}  // namespace portunus::async
