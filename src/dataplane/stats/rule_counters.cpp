#include "dataplane/stats/rule_counters.hpp"

namespace portunus::dataplane::stats {

RuleCounters::RuleCounters(unsigned workers)
    : shards_(std::make_unique<TrafficShard[]>(workers)), count_(workers) {}

model::RuleTraffic RuleCounters::totals(RuleId rule) const {
  model::RuleTraffic sum{.rule = rule};
  for (unsigned i = 0; i < count_; ++i) {
    const TrafficShard& shard = shards_[i];
    sum.bytes_in += shard.bytes_in_.load(std::memory_order_relaxed);
    sum.bytes_out += shard.bytes_out_.load(std::memory_order_relaxed);
    sum.active_connections += shard.active_.load(std::memory_order_relaxed);
  }
  return sum;
}

}  // namespace portunus::dataplane::stats
