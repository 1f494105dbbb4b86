#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "common/model/traffic.hpp"

namespace portunus::dataplane::stats {

/// What one worker moved for one rule. Only that worker writes, so an addition is a plain load and
/// store; anyone may read. Two cache lines apart from its neighbours, because the processor
/// prefetches lines in pairs.
class alignas(128) TrafficShard {
 public:
  /// Bytes that the upstream, or the downstream, socket has accepted (CNT-1).
  void add_in(std::uint64_t bytes) { add(bytes_in_, bytes); }
  void add_out(std::uint64_t bytes) { add(bytes_out_, bytes); }
  void connection_opened() { add(active_, 1U); }
  void connection_closed() { add(active_, ~0U); }

 private:
  friend class RuleCounters;
  template <class Word>
  static void add(std::atomic<Word>& word, Word delta) {
    word.store(word.load(std::memory_order_relaxed) + delta, std::memory_order_relaxed);
  }
  std::atomic<std::uint64_t> bytes_in_{0};
  std::atomic<std::uint64_t> bytes_out_{0};
  std::atomic<std::uint32_t> active_{0};
};

/// The counters of one activation of one rule, a shard per worker.
class RuleCounters {
 public:
  explicit RuleCounters(unsigned workers);

  TrafficShard& shard(unsigned worker) { return shards_[worker]; }
  /// The sum over all workers, live. Byte counts never fall from one call to the next.
  model::RuleTraffic totals(RuleId rule) const;

 private:
  std::unique_ptr<TrafficShard[]> shards_;
  unsigned count_;
};

}  // namespace portunus::dataplane::stats
