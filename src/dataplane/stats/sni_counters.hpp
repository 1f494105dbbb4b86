#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>

#include "common/model/traffic.hpp"
#include "dataplane/stats/rule_counters.hpp"

namespace portunus::dataplane::stats {

/// What one worker saw of one port in SNI mode; only that worker writes.
struct alignas(128) SniShard {
  Count misses, parse_failures;
  /// Connections beyond the permitted peeks (SNI-4); local, no report carries it.
  Count peek_refusals;
  Count peek_micros;
  /// Peeks by bucket, each in the lowest that holds it; the last is beyond every bound.
  std::array<Count, model::kPeekBoundsMicros.size() + 1> peeks;

  /// A finished peek (SNI-7).
  void add_peek(std::chrono::microseconds took);
};

/// The counters of one port for as long as it is in SNI mode, a shard per worker.
class SniCounters {
 public:
  SniCounters(std::uint16_t listen_port, unsigned workers);

  SniShard& shard(unsigned worker) { return shards_[worker]; }
  /// The sums over all workers, live; they never fall from one call to the next. Any thread.
  model::SniPortTraffic totals() const;
  std::uint64_t peek_refusals() const;

 private:
  const std::uint16_t listen_port_;
  const std::unique_ptr<SniShard[]> shards_;
  const unsigned count_;
};

}  // namespace portunus::dataplane::stats
