#include "common/model/running_total.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "tests/support/counters.hpp"

namespace portunus::model {
namespace {

constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();

TEST(RunningTotal, CW_8_delta_is_the_rise_over_the_baseline) {
  RunningTotal<SniPortTraffic> running;
  const auto report = [&](std::uint64_t value) {
    return running.report(test::filled<SniPortTraffic>(value)).misses;
  };
  EXPECT_EQ(report(100), 100U);
  EXPECT_EQ(report(250), 150U);
  EXPECT_EQ(report(250), 0U);
  EXPECT_EQ(report(40), 0U);  // counted anew: only the next baseline
  EXPECT_EQ(report(41), 1U);
  EXPECT_EQ(running.total(), test::filled<SniPortTraffic>(251));
}

TEST(RunningTotal, a_total_stays_at_its_maximum) {
  RunningTotal<LimitTraffic> running;
  running.report(test::filled<LimitTraffic>(kMost));
  running.start_session();
  running.report(test::filled<LimitTraffic>(5));
  EXPECT_EQ(running.total(), test::filled<LimitTraffic>(kMost));
}

TEST(RunningTotal, D8_every_counter_goes_over_sessions_by_its_own_baseline) {
  RunningTotal<RuleTraffic> running;
  const auto seen = test::numbered<RuleTraffic>();
  EXPECT_EQ(running.report(seen), seen);
  EXPECT_EQ(running.report(seen), RuleTraffic{});
  running.start_session();
  EXPECT_EQ(running.report(seen), seen);
  RuleTraffic twice = seen;
  add_counters(twice, seen);
  EXPECT_EQ(running.total(), twice);
}

TEST(RunningTotal, gauges_and_detail_are_not_totals) {
  RunningTotal<RuleTraffic> running;
  RuleTraffic seen;
  seen.bytes_in = 7;
  seen.active_connections = 3;
  seen.limit.active = 3;
  seen.ports.resize(2);
  seen.targets.resize(2);
  RuleTraffic bytes;
  bytes.bytes_in = 7;
  EXPECT_EQ(running.report(seen), bytes);
  EXPECT_EQ(running.total(), bytes);
  EXPECT_EQ(running.baseline(), bytes);
}

}  // namespace
}  // namespace portunus::model
