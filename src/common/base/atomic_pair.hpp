#pragma once

#include <atomic>
#include <cstdint>

namespace portunus {

/// Two words that change together, for state that many threads write: one 16-byte compare and swap
/// (cmpxchg16b on x86-64, ldaxp/stlxp or caspal on arm64), lock-free on both. Any thread may call
/// anything; nothing blocks.
class AtomicPair {
 public:
  struct Words {
    std::uint64_t first = 0;
    std::uint64_t second = 0;
    friend bool operator==(const Words&, const Words&) = default;
  };

  /// Both words, each read by itself: what another thread writes meanwhile may show in one only.
  /// Good as the expectation of exchange(), which refuses such a mixture. Plain loads, because a
  /// 16-byte one is a write to the cache on x86-64.
  Words peek() const {
    return {first_.load(std::memory_order_acquire), second_.load(std::memory_order_acquire)};
  }
  std::uint64_t first() const { return first_.load(std::memory_order_relaxed); }
  std::uint64_t second() const { return second_.load(std::memory_order_relaxed); }

  /// Replaces `expected` by `desired`, acquiring and releasing; false, with what is there in
  /// `expected`, when it has changed.
  bool exchange(Words& expected, const Words& desired);

 private:
  alignas(16) std::atomic<std::uint64_t> first_{0};
  std::atomic<std::uint64_t> second_{0};
};

}  // namespace portunus
