#include "dataplane/stats/sni_counters.hpp"

#include <algorithm>
#include <cstddef>
#include <span>

namespace portunus::dataplane::stats {

void SniShard::add_peek(std::chrono::microseconds took) {
  const auto micros = static_cast<std::uint64_t>(std::max<std::int64_t>(took.count(), 0));
  const auto& bounds = model::kPeekBoundsMicros;
  const auto bucket = std::lower_bound(bounds.begin(), bounds.end(), micros) - bounds.begin();
  peeks[static_cast<std::size_t>(bucket)].add(1);
  peek_micros.add(micros);
}

SniCounters::SniCounters(std::uint16_t listen_port, unsigned workers)
    : listen_port_(listen_port), shards_(std::make_unique<SniShard[]>(workers)), count_(workers) {}

model::SniPortTraffic SniCounters::totals() const {
  model::SniPortTraffic sum;
  sum.listen_port = listen_port_;
  for (const SniShard& shard : std::span(shards_.get(), count_)) {
    sum.misses += shard.misses.get();
    sum.parse_failures += shard.parse_failures.get();
    sum.peek_sum_micros += shard.peek_micros.get();
    // Reported buckets are cumulative: each counts all peeks up to its bound.
    std::uint64_t up_to_here = 0;
    for (std::size_t i = 0; i < sum.peek_buckets.size(); ++i) {
      up_to_here += shard.peeks[i].get();
      sum.peek_buckets[i] += up_to_here;
    }
    sum.peeks += up_to_here + shard.peeks.back().get();
  }
  return sum;
}

std::uint64_t SniCounters::peek_refusals() const {
  std::uint64_t sum = 0;
  for (const SniShard& shard : std::span(shards_.get(), count_)) sum += shard.peek_refusals.get();
  return sum;
}

}  // namespace portunus::dataplane::stats
