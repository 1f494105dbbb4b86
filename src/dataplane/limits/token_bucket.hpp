#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

#include "common/base/atomic_pair.hpp"
#include "common/base/clock.hpp"

namespace portunus::dataplane::limits {

/// One cap of so many tokens per second with a burst (RL-1, RL-9, RL-11), exact for every rate and
/// burst of 64 bits. Absent until set(). set() and clear() are one thread's; everything else may be
/// called from any thread at the same time, with instants that need not agree between threads:
/// time that goes back adds nothing and takes nothing. Lock-free: all there is to change are the
/// tokens and the instant up to which they are counted, one AtomicPair.
///
/// Tokens exist at whole microseconds since the bucket's epoch, which is its last set(): until
/// microsecond t floor(t * rate / 10^6) of them have come. What comes between two instants is the
/// difference of two such floors, so time that is worth less than one token is never lost.
class TokenBucket {
 public:
  TokenBucket() = default;
  TokenBucket(const TokenBucket&) = delete;
  TokenBucket& operator=(const TokenBucket&) = delete;

  /// A new bucket starts full; a surviving one keeps min(tokens, burst) and restarts its clock,
  /// unless nothing changes. `rate` and `burst` must not be 0.
  void set(std::uint64_t rate, std::uint64_t burst, SteadyTime now);
  void clear() { rate_.store(0, std::memory_order_release); }

  bool present() const { return rate() != 0; }
  /// 0 while absent.
  std::uint64_t rate() const { return rate_.load(std::memory_order_relaxed); }
  /// No bound while absent.
  std::uint64_t burst() const;

  /// All or nothing. 0 = taken, as always while absent; otherwise ceil(missing * 10^6 / rate).
  std::chrono::microseconds take(std::uint64_t tokens, SteadyTime now);
  /// The same, but more than the burst is asked for as the burst: a full bucket is emptied.
  std::chrono::microseconds take_at_most_burst(std::uint64_t tokens, SteadyTime now);

 private:
  /// Rate, burst and epoch of one generation. Two sets: the one not in force is free to be written
  /// while takes read the other. A take that was overtaken by two set()s may read a mixture, but
  /// then its generation is gone and its exchange fails.
  struct Terms {
    std::atomic<std::uint64_t> rate{0};
    std::atomic<std::uint64_t> burst{0};
    std::atomic<std::int64_t> epoch_ns{0};
  };
  struct Level;
  Terms& terms_of(std::uint64_t clock);
  Level level_at(const AtomicPair::Words& words, SteadyTime now);
  std::chrono::microseconds draw(std::uint64_t tokens, bool clamp, SteadyTime now);

  // Seldom written, read by everyone.
  std::atomic<std::uint64_t> rate_{0};
  std::array<Terms, 2> terms_;
  /// first = tokens; second = generation and microseconds since the epoch. On a line of its own.
  alignas(64) AtomicPair state_;
};

}  // namespace portunus::dataplane::limits
