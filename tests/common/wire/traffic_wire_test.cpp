#include "common/wire/traffic_wire.hpp"

#include <gtest/gtest.h>

#include <cctype>
#include <limits>
#include <string>

namespace portunus::wire {
namespace {

constexpr std::uint64_t kMax64 = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint32_t kMax32 = std::numeric_limits<std::uint32_t>::max();

model::LimitTraffic limit() {
  return {{1, 2, 3, 4, 5, 6}, 7, kMax64, 9};
}

/// A rule with something in every field.
model::RuleTraffic full() {
  model::RuleTraffic rule;
  rule.rule = RuleId{2};
  rule.bytes_in = kMax64;
  rule.bytes_out = 1;
  rule.active_connections = kMax32;
  rule.active_flows = 3;
  rule.dns_failures = 4;
  rule.datagrams_in = 5;
  rule.datagrams_out = 6;
  rule.flows_dropped_overflow = 7;
  rule.target_failovers = 8;
  rule.sni_exact = 9;
  rule.sni_wildcard = 10;
  rule.sni_fallback = 11;
  rule.limit = limit();
  rule.ports = {{30000, 1, 2, 3, 4, 5}, {30001, 6, 7, 8, 9, 10}};
  rule.targets = {{0, "a.example", 80, 5, 1, 3, 1000, 2000, 11, 12, 13},
                  {1, "[::1]", 65535, 0, 0, 0, 0, 4000, 1, 2, 3}};
  return rule;
}

model::RuleTraffic idle(std::uint64_t id) {
  model::RuleTraffic rule;
  rule.rule = RuleId{id};
  return rule;
}

/// What a peer makes of what we sent.
model::TrafficReport round_trip(const model::TrafficReport& report) {
  v1::StatsReport out;
  report_to_wire(report, 1'700'000'000'000, out);
  v1::StatsReport in;
  EXPECT_TRUE(in.ParseFromString(out.SerializeAsString()));
  EXPECT_EQ(in.sent_at_unix_ms(), 1'700'000'000'000U);
  return report_from_wire(in);
}

TEST(TrafficWire, every_rule_is_reported_in_order_idle_ones_too) {
  const model::TrafficReport report{{idle(9), full(), idle(0)}, {}, {}};
  EXPECT_EQ(round_trip(report), report);
}

TEST(TrafficWire, every_sni_port_is_reported_idle_ones_too) {
  model::SniPortTraffic busy{443, 1, 2, {}, 3, 4};
  for (std::size_t i = 0; i < busy.peek_buckets.size(); ++i) busy.peek_buckets[i] = i;
  const model::TrafficReport report{{}, {{8443}, busy}, {}};
  EXPECT_EQ(round_trip(report), report);
}

TEST(TrafficWire, owners_are_reported_with_something_to_say) {
  const model::TrafficReport report{{}, {}, {{"alice", limit()}, {"bob", {}}}};
  EXPECT_EQ(round_trip(report), (model::TrafficReport{{}, {}, {{"alice", limit()}}}));
}

TEST(TrafficWire, an_idle_rule_costs_its_id_only) {
  v1::StatsReport report;
  report_to_wire({{idle(7)}, {}, {}}, 0, report);
  EXPECT_EQ(report.SerializeAsString(), std::string("\x12\x02\x08\x07", 4));
}

TEST(TrafficWire, an_sni_port_without_a_peek_costs_its_port_only) {
  v1::StatsReport report;
  report_to_wire({{}, {{443}}, {}}, 0, report);
  EXPECT_EQ(report.SerializeAsString(), std::string("\x1a\x03\x08\xbb\x03", 5));
}

TEST(TrafficWire, only_reasons_that_ever_fired_are_sent) {
  model::RuleTraffic rule = idle(1);
  rule.limit.rejects[static_cast<std::size_t>(model::Reject::owner_conn_rate)] = 5;
  v1::StatsReport report;
  report_to_wire({{rule}, {}, {}}, 0, report);
  const auto& rejects = report.stats(0).rate_limit().reject_total();
  ASSERT_EQ(rejects.size(), 1);
  EXPECT_EQ(rejects[0].reason(), v1::RATE_LIMIT_REJECT_REASON_OWNER_CONN_RATE);
  EXPECT_EQ(rejects[0].total(), 5U);
}

TEST(TrafficWire, RL_6_each_reason_has_its_number) {
  const v1::RateLimitRejectReason reasons[] = {v1::RATE_LIMIT_REJECT_REASON_CONN_CONCURRENT,
                                               v1::RATE_LIMIT_REJECT_REASON_CONN_RATE,
                                               v1::RATE_LIMIT_REJECT_REASON_UDP_FLOW_RATE,
                                               v1::RATE_LIMIT_REJECT_REASON_OWNER_CONCURRENT,
                                               v1::RATE_LIMIT_REJECT_REASON_OWNER_CONN_RATE,
                                               v1::RATE_LIMIT_REJECT_REASON_OWNER_UDP_FLOW_RATE};
  for (std::size_t i = 0; i < model::kRejects; ++i) {
    v1::StatsReport report;
    v1::RateLimitRejectCount& entry = *report.add_stats()->mutable_rate_limit()->add_reject_total();
    entry.set_reason(reasons[i]);
    entry.set_total(1);
    model::LimitTraffic expected;
    expected.rejects[i] = 1;
    EXPECT_EQ(report_from_wire(report).rules[0].limit, expected);
    const std::string wire_name = v1::RateLimitRejectReason_Name(reasons[i]);
    std::string name(model::reject_name(static_cast<model::Reject>(i)));
    for (char& c : name) c = static_cast<char>(std::toupper(c));
    EXPECT_EQ(wire_name, "RATE_LIMIT_REJECT_REASON_" + name);
  }
}

TEST(TrafficWire, unknown_reject_reasons_are_dropped) {
  v1::StatsReport report;
  v1::RateLimitStats& stats = *report.add_stats()->mutable_rate_limit();
  for (const int reason : {0, 7, -1, 1 << 30}) {
    v1::RateLimitRejectCount& entry = *stats.add_reject_total();
    entry.set_reason(static_cast<v1::RateLimitRejectReason>(reason));
    entry.set_total(5);
  }
  EXPECT_EQ(report_from_wire(report).rules[0].limit, model::LimitTraffic{});
}

TEST(TrafficWire, buckets_with_other_bounds_are_dropped) {
  v1::StatsReport report;
  v1::SniListenerStats& entry = *report.add_sni_listener_stats();
  entry.set_listen_port(443);
  entry.set_client_hello_peek_count(5);
  for (int i = 0; i < 16; ++i) {
    const auto read = report_from_wire(report);
    ASSERT_EQ(read.sni_ports.size(), 1U);
    EXPECT_EQ(read.sni_ports[0].peeks, 5U);
    EXPECT_EQ(read.sni_ports[0].peek_buckets[0], i == 15 ? 5U : 0U) << i;
    entry.add_client_hello_peek_bucket_counts(5);
  }
  EXPECT_EQ(report_from_wire(report).sni_ports[0].peek_buckets[0], 0U);
}

TEST(TrafficWire, entries_of_what_is_no_port_are_dropped) {
  v1::StatsReport report;
  report.add_sni_listener_stats()->set_listen_port(0);
  report.add_sni_listener_stats()->set_listen_port(65536 + 443);
  report.add_stats()->add_per_port()->set_listen_port(65536 + 80);
  const auto read = report_from_wire(report);
  EXPECT_TRUE(read.sni_ports.empty());
  EXPECT_TRUE(read.rules[0].ports.empty());
}

TEST(TrafficWire, a_health_that_we_do_not_know_is_kept_as_a_number) {
  v1::StatsReport report;
  report.add_stats()->add_per_target()->set_health(9);
  EXPECT_EQ(report_from_wire(report).rules[0].targets[0].health, 9U);
}

TEST(TrafficWire, rules_that_occur_twice_are_read_twice) {
  v1::StatsReport report;
  report.add_stats()->set_rule_id(3);
  report.add_stats()->set_rule_id(3);
  EXPECT_EQ(report_from_wire(report).rules.size(), 2U);
}

}  // namespace
}  // namespace portunus::wire
