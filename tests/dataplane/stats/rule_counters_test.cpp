#include "dataplane/stats/rule_counters.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace portunus::dataplane::stats {
namespace {

model::RuleSpec rule(std::uint32_t ports = 1, std::size_t targets = 1) {
  model::RuleSpec spec;
  spec.id = RuleId{9};
  spec.listen_port = 1000;
  spec.ports = ports;
  for (std::size_t i = 0; i < targets; ++i) {
    spec.targets.push_back({.host = "127.0.0.1", .port = static_cast<std::uint16_t>(80 + i)});
  }
  return spec;
}

TEST(RuleCounters, totals_are_the_sum_of_all_workers) {
  RuleCounters counters(rule(), 3);
  Meter first(counters.shard(0));
  Meter second(counters.shard(1));
  Meter third(counters.shard(2));
  first.add_in(1);
  second.add_in(20);
  third.add_out(300);
  third.connection_opened();
  third.connection_opened();
  first.connection_opened();
  third.connection_closed();
  counters.shard(1).dns_failures.add(4);
  model::RuleTraffic expected;
  expected.rule = RuleId{9};
  expected.bytes_in = 21;
  expected.bytes_out = 300;
  expected.active_connections = 2;
  expected.dns_failures = 4;
  EXPECT_EQ(counters.totals(), expected);
}

TEST(RuleCounters, CNT_5_the_ports_of_a_range_sum_up_to_the_rule) {
  RuleCounters counters(rule(3), 2);
  for (unsigned worker = 0; worker < 2; ++worker) {
    for (std::uint32_t offset = 0; offset < 3; ++offset) {
      Meter meter(counters.shard(worker));
      meter.set_port(offset);
      meter.set_target(0);
      meter.connection_opened();
      meter.add_in(offset + 1);
      meter.add_out(10 * (offset + 1));
    }
  }
  const auto totals = counters.totals();
  ASSERT_EQ(totals.ports.size(), 3U);
  EXPECT_TRUE(totals.targets.empty());
  for (std::uint16_t offset = 0; offset < 3; ++offset) {
    model::PortTraffic port;
    port.listen_port = static_cast<std::uint16_t>(1000 + offset);
    port.bytes_in = 2 * (offset + 1U);
    port.bytes_out = 20 * (offset + 1U);
    port.active_connections = 2;
    EXPECT_EQ(totals.ports[offset], port);
  }
  EXPECT_EQ(totals.bytes_in, 12U);
  EXPECT_EQ(totals.bytes_out, 120U);
  EXPECT_EQ(totals.active_connections, 6U);
}

TEST(RuleCounters, CNT_5_the_targets_of_a_list_sum_up_to_the_rule) {
  RuleCounters counters(rule(1, 2), 1);
  Meter meter(counters.shard(0));
  meter.set_port(0);
  meter.set_target(1);
  meter.add_datagrams_in(2, 7);
  meter.add_datagrams_out(1, 5);
  const auto totals = counters.totals();
  EXPECT_TRUE(totals.ports.empty());
  ASSERT_EQ(totals.targets.size(), 2U);
  EXPECT_EQ(totals.targets[0].connections, 0U);
  EXPECT_EQ(totals.targets[1].index, 1U);
  EXPECT_EQ(totals.targets[1].connections, 1U);
  EXPECT_EQ(totals.targets[1].bytes_in, 7U);
  EXPECT_EQ(totals.targets[1].bytes_out, 5U);
  EXPECT_EQ(totals.bytes_in, 7U);
  EXPECT_EQ(totals.datagrams_in, 2U);
  EXPECT_EQ(totals.datagrams_out, 1U);
}

TEST(RuleCounters, counts_past_32_bits) {
  RuleCounters counters(rule(), 1);
  Meter meter(counters.shard(0));
  meter.add_in(5'000'000'000U);
  meter.add_in(5'000'000'000U);
  EXPECT_EQ(counters.totals().bytes_in, 10'000'000'000U);
}

TEST(RuleCounters, what_stays_local_is_summed_apart) {
  RuleCounters counters(rule(), 2);
  counters.shard(0).connections_total.add(2);
  counters.shard(1).connections_total.add(3);
  counters.shard(1).emsgsize.add(1);
  const auto local = counters.local();
  EXPECT_EQ(local.rule, RuleId{9});
  EXPECT_EQ(local.connections_total, 5U);
  EXPECT_EQ(local.emsgsize, 1U);
}

TEST(RuleCounters, shards_of_two_workers_share_no_cache_line) {
  RuleCounters counters(rule(), 2);
  const auto distance = reinterpret_cast<std::uintptr_t>(&counters.shard(1)) -
                        reinterpret_cast<std::uintptr_t>(&counters.shard(0));
  EXPECT_GE(distance, 128U);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&counters.shard(0)) % 128, 0U);
}

TEST(RuleCounters, CNT_3_a_reader_never_sees_a_total_fall_and_nothing_is_lost) {
  RuleCounters counters(rule(), 2);
  std::atomic<unsigned> running = 2;
  std::vector<std::jthread> writers;
  for (unsigned worker = 0; worker < 2; ++worker) {
    writers.emplace_back([&, worker] {
      Meter meter(counters.shard(worker));
      for (int i = 0; i < 200'000; ++i) meter.add_out(3);
      --running;
    });
  }
  std::uint64_t last = 0;
  while (running > 0) {
    const std::uint64_t now = counters.totals().bytes_out;
    ASSERT_GE(now, last);
    last = now;
  }
  writers.clear();
  EXPECT_EQ(counters.totals().bytes_out, 1'200'000U);
}

}  // namespace
}  // namespace portunus::dataplane::stats
