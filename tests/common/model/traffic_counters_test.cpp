#include "common/model/traffic_counters.hpp"

#include <gtest/gtest.h>

namespace portunus::model {
namespace {

RuleTraffic rule_with(std::vector<PortTraffic> ports, std::vector<TargetTraffic> targets = {}) {
  RuleTraffic out;
  out.ports = std::move(ports);
  out.targets = std::move(targets);
  return out;
}

template <class Record>
std::size_t counters_of(Record record) {
  std::size_t count = 0;
  zip_counters(record, record, [&count](auto&, auto) { ++count; });
  return count;
}

TEST(TrafficCounters, every_counter_of_a_record_is_visited) {
  // A new counter in a record is one more here; gauges, names, health and times are not counters.
  EXPECT_EQ(counters_of(LimitTraffic{}), kRejects + 2);
  EXPECT_EQ(counters_of(PortTraffic{}), 4U);
  EXPECT_EQ(counters_of(TargetTraffic{}), 3U);
  EXPECT_EQ(counters_of(RuleTraffic{}), 10 + kRejects + 2);
  EXPECT_EQ(counters_of(rule_with({{80}, {81}}, {{0, "a", 1}})), 10 + kRejects + 2 + 2 * 4 + 3);
  EXPECT_EQ(counters_of(SniPortTraffic{}), 4 + kPeekBoundsMicros.size());
  EXPECT_EQ(counters_of(OwnerTraffic{}), kRejects + 2);
  // The sizes tell of a counter that was added without its visit.
  EXPECT_EQ(sizeof(LimitTraffic), 8 * (kRejects + 2) + 8);
  EXPECT_EQ(sizeof(PortTraffic), 48U);
  EXPECT_EQ(sizeof(SniPortTraffic), 8 * (5 + kPeekBoundsMicros.size()));
}

TEST(TrafficCounters, ports_pair_by_their_number) {
  RuleTraffic mine = rule_with({{.listen_port = 80, .bytes_in = 1, .active_connections = 5},
                                {.listen_port = 81, .bytes_in = 2}});
  const RuleTraffic other = rule_with({{.listen_port = 81, .bytes_in = 10},
                                       {.listen_port = 82, .bytes_in = 20, .datagrams_out = 3}});
  add_counters(mine, other);
  ASSERT_EQ(mine.ports.size(), 3U);
  EXPECT_EQ(mine.ports[0].bytes_in, 1U);
  EXPECT_EQ(mine.ports[0].active_connections, 5U);
  EXPECT_EQ(mine.ports[1].bytes_in, 12U);
  EXPECT_EQ(mine.ports[2].listen_port, 82U);
  EXPECT_EQ(mine.ports[2].bytes_in, 20U);
  EXPECT_EQ(mine.ports[2].datagrams_out, 3U);
}

TEST(TrafficCounters, targets_pair_by_row_and_address) {
  RuleTraffic mine = rule_with({}, {{.index = 0, .host = "a", .port = 1, .connections = 5}});
  subtract_counters(mine, rule_with({}, {{.index = 0, .host = "b", .port = 1, .connections = 1},
                                         {.index = 1, .host = "a", .port = 1, .connections = 1},
                                         {.index = 0, .host = "a", .port = 2, .connections = 1}}));
  EXPECT_EQ(mine.targets[0].connections, 5U);
  subtract_counters(mine, rule_with({}, {{.index = 0, .host = "a", .port = 1, .connections = 2}}));
  EXPECT_EQ(mine.targets[0].connections, 3U);
}

TEST(TrafficCounters, one_fallen_counter_is_enough_not_to_cover) {
  RuleTraffic now;
  now.bytes_in = 5;
  RuleTraffic before = now;
  before.active_connections = 9;  // a gauge
  EXPECT_TRUE(covers_counters(now, before));
  before.limit.rejects[5] = 1;
  EXPECT_FALSE(covers_counters(now, before));
}

TEST(TrafficCounters, clearing_gauges_touches_nothing_else) {
  RuleTraffic rule = rule_with({{.listen_port = 80, .bytes_in = 1, .active_connections = 5}},
                               {{.index = 0, .host = "a", .port = 1, .health = 1}});
  rule.active_connections = 1;
  rule.active_flows = 2;
  rule.bytes_out = 3;
  rule.limit.active = 4;
  clear_gauges(rule);
  RuleTraffic expected = rule_with({{.listen_port = 80, .bytes_in = 1}},
                                   {{.index = 0, .host = "a", .port = 1, .health = 1}});
  expected.bytes_out = 3;
  EXPECT_EQ(rule, expected);
}

}  // namespace
}  // namespace portunus::model
