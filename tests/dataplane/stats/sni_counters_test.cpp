#include "dataplane/stats/sni_counters.hpp"

#include <gtest/gtest.h>

namespace portunus::dataplane::stats {
namespace {

using std::chrono::microseconds;

TEST(SniCounters, SNI_7_a_peek_counts_in_every_bucket_from_its_own_on) {
  SniCounters counters(443, 1);
  counters.shard(0).add_peek(microseconds(0));
  counters.shard(0).add_peek(microseconds(100));
  counters.shard(0).add_peek(microseconds(101));
  counters.shard(0).add_peek(microseconds(3'000'000));  // exactly the last bound
  counters.shard(0).add_peek(microseconds(3'000'001));  // beyond every bound
  const auto totals = counters.totals();
  EXPECT_EQ(totals.listen_port, 443);
  EXPECT_EQ(totals.peeks, 5U);
  EXPECT_EQ(totals.peek_sum_micros, 6'000'202U);
  EXPECT_EQ(totals.peek_buckets[0], 2U);
  for (std::size_t i = 1; i < 14; ++i) EXPECT_EQ(totals.peek_buckets[i], 3U) << i;
  EXPECT_EQ(totals.peek_buckets[14], 4U);
}

TEST(SniCounters, SNI_7_each_bound_belongs_to_its_bucket) {
  for (std::size_t i = 0; i < model::kPeekBoundsMicros.size(); ++i) {
    SniCounters counters(1, 1);
    counters.shard(0).add_peek(microseconds(model::kPeekBoundsMicros[i]));
    EXPECT_EQ(counters.totals().peek_buckets[i], 1U) << i;
    if (i > 0) EXPECT_EQ(counters.totals().peek_buckets[i - 1], 0U) << i;
  }
}

TEST(SniCounters, a_clock_that_went_back_counts_as_no_time) {
  SniCounters counters(1, 1);
  counters.shard(0).add_peek(microseconds(-5));
  EXPECT_EQ(counters.totals().peek_sum_micros, 0U);
  EXPECT_EQ(counters.totals().peek_buckets[0], 1U);
}

TEST(SniCounters, sums_the_shards_of_all_workers) {
  SniCounters counters(8443, 3);
  for (unsigned worker = 0; worker < 3; ++worker) {
    SniShard& shard = counters.shard(worker);
    shard.misses.add(worker + 1);
    shard.parse_failures.add(10);
    shard.peek_refusals.add(100);
    shard.add_peek(microseconds(200));
  }
  const auto totals = counters.totals();
  EXPECT_EQ(totals.misses, 6U);
  EXPECT_EQ(totals.parse_failures, 30U);
  EXPECT_EQ(totals.peeks, 3U);
  EXPECT_EQ(totals.peek_buckets[1], 3U);
  EXPECT_EQ(counters.peek_refusals(), 300U);
}

}  // namespace
}  // namespace portunus::dataplane::stats
