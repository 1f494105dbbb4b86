#include "dataplane/stats/rule_counters.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace portunus::dataplane::stats {
namespace {

TEST(RuleCounters, totals_are_the_sum_of_all_workers) {
  RuleCounters counters(3);
  counters.shard(0).add_in(1);
  counters.shard(1).add_in(20);
  counters.shard(2).add_out(300);
  counters.shard(2).connection_opened();
  counters.shard(2).connection_opened();
  counters.shard(0).connection_opened();
  counters.shard(2).connection_closed();
  EXPECT_EQ(counters.totals(RuleId{9}),
            (model::RuleTraffic{
                .rule = RuleId{9}, .bytes_in = 21, .bytes_out = 300, .active_connections = 2}));
}

TEST(RuleCounters, counts_past_32_bits) {
  RuleCounters counters(1);
  counters.shard(0).add_in(5'000'000'000U);
  counters.shard(0).add_in(5'000'000'000U);
  EXPECT_EQ(counters.totals(RuleId{1}).bytes_in, 10'000'000'000U);
}

TEST(RuleCounters, shards_of_two_workers_share_no_cache_line) {
  RuleCounters counters(2);
  const auto distance = reinterpret_cast<std::uintptr_t>(&counters.shard(1)) -
                        reinterpret_cast<std::uintptr_t>(&counters.shard(0));
  EXPECT_GE(distance, 128U);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&counters.shard(0)) % 128, 0U);
}

TEST(RuleCounters, CNT_3_a_reader_never_sees_a_total_fall_and_nothing_is_lost) {
  RuleCounters counters(2);
  std::atomic<unsigned> running = 2;
  std::vector<std::jthread> writers;
  for (unsigned worker = 0; worker < 2; ++worker) {
    writers.emplace_back([&, worker] {
      for (int i = 0; i < 200'000; ++i) counters.shard(worker).add_out(3);
      --running;
    });
  }
  std::uint64_t last = 0;
  while (running > 0) {
    const std::uint64_t now = counters.totals(RuleId{1}).bytes_out;
    ASSERT_GE(now, last);
    last = now;
  }
  writers.clear();
  EXPECT_EQ(counters.totals(RuleId{1}).bytes_out, 1'200'000U);
}

}  // namespace
}  // namespace portunus::dataplane::stats
