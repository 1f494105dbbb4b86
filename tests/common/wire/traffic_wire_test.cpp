#include "common/wire/traffic_wire.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace portunus::wire {
namespace {

TEST(TrafficWire, every_rule_is_reported_in_order_idle_ones_too) {
  const std::vector<model::RuleTraffic> rules = {
      {RuleId{9}, 0, 0, 0},
      {RuleId{2}, std::numeric_limits<std::uint64_t>::max(), 1,
       std::numeric_limits<std::uint32_t>::max()}};
  v1::StatsReport report;
  report_to_wire(rules, 1'700'000'000'000, report);
  EXPECT_EQ(report.sent_at_unix_ms(), 1'700'000'000'000U);
  EXPECT_EQ(report_from_wire(report), rules);
}

TEST(TrafficWire, an_idle_rule_costs_its_id_only) {
  const model::RuleTraffic rules[] = {{RuleId{7}, 0, 0, 0}};
  v1::StatsReport report;
  report_to_wire(rules, 0, report);
  EXPECT_EQ(report.SerializeAsString(), std::string("\x12\x02\x08\x07", 4));
}

TEST(TrafficWire, entries_with_content_of_later_features_are_read) {
  v1::StatsReport report;
  v1::RuleStats& entry = *report.add_stats();
  entry.set_rule_id(3);
  entry.set_bytes_in(10);
  entry.add_per_target()->set_bytes_in(10);
  entry.mutable_rate_limit()->set_throttle_micros_in(5);
  report.add_sni_listener_stats()->set_listen_port(443);
  const auto read = report_from_wire(report);
  ASSERT_EQ(read.size(), 1U);
  EXPECT_EQ(read[0].bytes_in, 10U);
}

}  // namespace
}  // namespace portunus::wire
