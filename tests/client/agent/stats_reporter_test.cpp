#include "client/agent/stats_reporter.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace portunus::client::agent {
namespace {

using std::chrono::seconds;
using Traffic = model::RuleTraffic;

constexpr RuleId kSeven{7};
constexpr RuleId kEight{8};

Traffic traffic(RuleId id, std::uint64_t in, std::uint64_t out, std::uint32_t active = 0) {
  Traffic rule;
  rule.rule = id;
  rule.bytes_in = in;
  rule.bytes_out = out;
  rule.active_connections = active;
  return rule;
}

model::SniPortTraffic sni_port(std::uint16_t port, std::uint64_t misses) {
  model::SniPortTraffic out;
  out.listen_port = port;
  out.misses = misses;
  out.peeks = misses;
  out.peek_buckets.fill(misses);
  return out;
}

model::OwnerTraffic owner(const std::string& id, std::uint64_t throttled, std::uint32_t active) {
  model::OwnerTraffic out;
  out.owner_id = id;
  out.limit.throttle_us_in = throttled;
  out.limit.active = active;
  return out;
}

/// A rule with entries, as its engine reports it after `steps` of everything.
Traffic busy(std::uint64_t steps) {
  Traffic rule = traffic(kSeven, 0, 0, 4);
  rule.active_flows = 5;
  rule.limit.active = 6;
  rule.ports = {{.listen_port = 80, .active_connections = 1}, {.listen_port = 81}};
  rule.targets = {{.index = 0, .host = "a", .port = 1, .health = 1, .consecutive_failures = 2},
                  {.index = 1, .host = "b", .port = 2, .last_success_unix_ms = 9}};
  model::zip_counters(rule, rule, [steps](auto& mine, auto) { mine = steps; });
  return rule;
}

class StatsReporterTest : public testing::Test {
 protected:
  void count(std::vector<Traffic> counters) { stats.update_rules(counters); }
  void count_sni(std::vector<model::SniPortTraffic> counters) { stats.update_sni_ports(counters); }
  void count_owners(std::vector<model::OwnerTraffic> counters) { stats.update_owners(counters); }
  /// Makes a report, whose fate is open.
  model::TrafficReport send_all() {
    auto report = stats.report();
    if (!report) return {};
    number = report->number;
    return std::move(report->traffic);
  }
  model::TrafficReport deliver_all() {
    auto out = send_all();
    stats.settle(number, true);
    return out;
  }
  std::vector<Traffic> send() { return send_all().rules; }
  std::vector<Traffic> deliver() { return deliver_all().rules; }
  void new_session() {
    stats.end_session();
    stats.begin_session(now);
  }

  StatsReporter stats{seconds(5)};
  SteadyTime now{seconds(100)};
  std::uint64_t number = 0;
};

TEST_F(StatsReporterTest, the_first_report_is_a_full_interval_after_the_welcome) {
  EXPECT_FALSE(stats.due());
  stats.begin_session(now);
  EXPECT_EQ(stats.due(), now + seconds(5));
  stats.end_session();
  EXPECT_FALSE(stats.due());
}

TEST_F(StatsReporterTest, late_ticks_are_delayed_not_bunched) {
  stats.begin_session(now);
  const auto late = now + seconds(17);
  stats.tick(late);
  EXPECT_EQ(stats.due(), late + seconds(5));
}

TEST_F(StatsReporterTest, nothing_is_reported_while_no_rule_is_installed) {
  stats.begin_session(now);
  EXPECT_FALSE(stats.report());
  count({traffic(kSeven, 0, 0)});
  EXPECT_TRUE(stats.report());
  stats.retire(kSeven);
  EXPECT_FALSE(stats.report());
}

TEST_F(StatsReporterTest, CW_8_an_ended_rule_is_reported_until_all_of_it_is_delivered) {
  stats.begin_session(now);
  count({traffic(kSeven, 100, 0, 2)});
  deliver();
  count({traffic(kSeven, 130, 0, 2)});
  stats.retire(kSeven);
  EXPECT_EQ(send(), (std::vector{traffic(kSeven, 130, 0)}));
  new_session();  // its fate is unknown
  EXPECT_EQ(deliver(), (std::vector{traffic(kSeven, 30, 0)}));
  EXPECT_FALSE(stats.report());
}

TEST_F(StatsReporterTest, CW_8_what_a_rule_moved_without_a_session_outlives_its_end) {
  count({traffic(kSeven, 100, 50)});
  stats.ended(traffic(kSeven, 160, 70));
  stats.retire(kSeven);
  stats.begin_session(now);
  EXPECT_EQ(deliver(), (std::vector{traffic(kSeven, 160, 70)}));
  EXPECT_FALSE(stats.report());
}

TEST_F(StatsReporterTest, counters_are_cumulative_within_a_session_idle_rules_included) {
  stats.begin_session(now);
  count({traffic(kSeven, 10, 20, 3), traffic(kEight, 0, 0)});
  EXPECT_EQ(deliver(), (std::vector{traffic(kSeven, 10, 20, 3), traffic(kEight, 0, 0)}));
  count({traffic(kSeven, 15, 20, 1), traffic(kEight, 0, 1)});
  EXPECT_EQ(deliver(), (std::vector{traffic(kSeven, 15, 20, 1), traffic(kEight, 0, 1)}));
}

TEST_F(StatsReporterTest, D8_the_next_session_starts_at_what_was_not_delivered) {
  stats.begin_session(now);
  count({traffic(kSeven, 100, 10)});
  deliver();
  count({traffic(kSeven, 130, 12)});
  new_session();
  EXPECT_EQ(deliver(), (std::vector{traffic(kSeven, 30, 2)}));
  count({traffic(kSeven, 131, 12)});
  EXPECT_EQ(deliver(), (std::vector{traffic(kSeven, 31, 2)}));
}

TEST_F(StatsReporterTest, D8_a_report_without_a_completed_write_is_carried_over) {
  stats.begin_session(now);
  count({traffic(kSeven, 100, 0)});
  deliver();
  count({traffic(kSeven, 150, 0)});
  send();  // in flight when the session dies
  EXPECT_TRUE(stats.outstanding());
  new_session();
  EXPECT_FALSE(stats.outstanding());
  EXPECT_EQ(send(), (std::vector{traffic(kSeven, 50, 0)}));
  stats.settle(number, false);  // the library says it failed
  new_session();
  count({traffic(kSeven, 160, 0)});
  EXPECT_EQ(deliver(), (std::vector{traffic(kSeven, 60, 0)}));
  new_session();
  EXPECT_EQ(deliver(), (std::vector{traffic(kSeven, 0, 0)}));
}

TEST_F(StatsReporterTest, D8_several_lost_sessions_add_up) {
  stats.begin_session(now);
  for (std::uint64_t i = 1; i <= 5; ++i) {
    count({traffic(kSeven, i * 10, 0)});
    send();
    new_session();
  }
  EXPECT_EQ(deliver(), (std::vector{traffic(kSeven, 50, 0)}));
}

TEST_F(StatsReporterTest, the_fate_of_an_older_report_changes_nothing) {
  stats.begin_session(now);
  count({traffic(kSeven, 10, 0)});
  send();
  const auto old = number;
  new_session();
  stats.settle(old, true);  // of the dead session
  EXPECT_EQ(deliver(), (std::vector{traffic(kSeven, 10, 0)}));
}

TEST_F(StatsReporterTest, a_dropped_report_is_made_good_by_the_next) {
  stats.begin_session(now);
  count({traffic(kSeven, 10, 0)});
  send();
  EXPECT_TRUE(stats.outstanding());  // the next tick is skipped
  count({traffic(kSeven, 25, 0)});
  stats.settle(number, true);
  EXPECT_EQ(deliver(), (std::vector{traffic(kSeven, 25, 0)}));
  new_session();
  EXPECT_EQ(deliver(), (std::vector{traffic(kSeven, 0, 0)}));
}

TEST_F(StatsReporterTest, rules_installed_later_start_at_0) {
  stats.begin_session(now);
  count({traffic(kSeven, 10, 0)});
  deliver();
  count({traffic(kSeven, 10, 0), traffic(kEight, 3, 0)});
  EXPECT_EQ(deliver(), (std::vector{traffic(kSeven, 10, 0), traffic(kEight, 3, 0)}));
}

TEST_F(StatsReporterTest, a_rule_installed_anew_goes_on_from_what_is_not_delivered) {
  stats.begin_session(now);
  count({traffic(kSeven, 1000, 0)});
  deliver();
  new_session();
  count({traffic(kSeven, 1500, 0)});
  send();
  stats.retire(kSeven);
  count({traffic(kSeven, 4, 0)});
  stats.settle(number, true);
  EXPECT_EQ(deliver(), (std::vector{traffic(kSeven, 504, 0)}));
  stats.retire(kSeven);  // all of it is known, so it starts at 0
  count({traffic(kSeven, 6, 0)});
  EXPECT_EQ(deliver(), (std::vector{traffic(kSeven, 6, 0)}));
}

TEST_F(StatsReporterTest, a_replaced_rule_keeps_its_total_through_the_drain) {
  stats.begin_session(now);
  count({traffic(kSeven, 100, 50, 2)});
  deliver();
  count({traffic(kSeven, 120, 50, 2)});
  const Traffic then = stats.replaced(kSeven);
  count({traffic(kSeven, 1, 0, 1)});
  EXPECT_EQ(deliver(), (std::vector{traffic(kSeven, 121, 50, 1)}));
  stats.replaced_ended(then, traffic(kSeven, 127, 60));
  EXPECT_EQ(deliver(), (std::vector{traffic(kSeven, 128, 60, 1)}));
  new_session();
  EXPECT_EQ(deliver(), (std::vector{traffic(kSeven, 0, 0, 1)}));
}

TEST_F(StatsReporterTest, the_last_numbers_of_a_drained_rule_are_reported_at_the_end) {
  stats.begin_session(now);
  count({traffic(kSeven, 100, 50, 2)});
  deliver();
  stats.ended(traffic(kSeven, 110, 70));
  count({});
  EXPECT_EQ(deliver(), (std::vector{traffic(kSeven, 110, 70, 0)}));
}

TEST_F(StatsReporterTest, D8_every_counter_of_a_rule_starts_a_session_at_what_was_not_delivered) {
  stats.begin_session(now);
  count({busy(10)});
  EXPECT_EQ(deliver(), std::vector{busy(10)});
  count({busy(13)});
  EXPECT_EQ(send(), std::vector{busy(13)});  // in flight when the session dies
  new_session();
  count({busy(15)});
  EXPECT_EQ(deliver(), std::vector{busy(5)});  // with the gauges and the health of now
}

TEST_F(StatsReporterTest, a_replaced_rule_keeps_every_total) {
  stats.begin_session(now);
  count({busy(10)});
  deliver();
  const Traffic then = stats.replaced(kSeven);
  EXPECT_EQ(then.target_failovers, 10U);
  count({busy(1)});
  EXPECT_EQ(deliver(), std::vector{busy(11)});
  stats.replaced_ended(then, busy(12));
  EXPECT_EQ(deliver(), std::vector{busy(13)});
}

TEST_F(StatsReporterTest, a_replaced_rule_reports_the_ports_and_targets_that_it_has_now) {
  stats.begin_session(now);
  count({busy(10)});
  deliver();
  stats.replaced(kSeven);
  Traffic other = busy(1);
  other.ports[0].listen_port = 90;  // 81 stays
  other.targets[1].host = "c";
  count({other});
  auto report = deliver();
  ASSERT_EQ(report.size(), 1U);
  EXPECT_EQ(report[0].bytes_in, 11U);
  ASSERT_EQ(report[0].ports.size(), 2U);
  EXPECT_EQ(report[0].ports[0].bytes_in, 1U);
  EXPECT_EQ(report[0].ports[1].bytes_in, 11U);
  EXPECT_EQ(report[0].targets[0].connections, 11U);
  EXPECT_EQ(report[0].targets[1].connections, 1U);
  // And back again: what was delivered of port 80 is not delivered a second time.
  stats.replaced(kSeven);
  count({busy(2)});
  new_session();
  report = deliver();
  EXPECT_EQ(report[0].ports[0].bytes_in, 2U);
  EXPECT_EQ(report[0].ports[1].bytes_in, 2U);
}

TEST_F(StatsReporterTest, the_last_report_has_no_gauges_left) {
  stats.begin_session(now);
  count({busy(10)});
  stats.ended(busy(12));
  Traffic expected = busy(12);
  expected.active_connections = 0;
  expected.active_flows = 0;
  expected.limit.active = 0;
  expected.ports[0].active_connections = 0;
  EXPECT_EQ(deliver(), std::vector{expected});
}

TEST_F(StatsReporterTest, an_sni_port_alone_is_reported) {
  stats.begin_session(now);
  EXPECT_FALSE(stats.report());
  count_sni({sni_port(443, 0)});
  EXPECT_EQ(deliver_all().sni_ports, std::vector{sni_port(443, 0)});
  count_sni({});
  EXPECT_FALSE(stats.report());
}

TEST_F(StatsReporterTest, owners_alone_are_not_reported) {
  stats.begin_session(now);
  count_owners({owner("alice", 5, 1)});
  EXPECT_FALSE(stats.report());
  count({traffic(kSeven, 0, 0)});
  EXPECT_EQ(deliver_all().owners, std::vector{owner("alice", 5, 1)});
}

TEST_F(StatsReporterTest, D8_sni_ports_and_owners_start_a_session_at_what_was_not_delivered) {
  stats.begin_session(now);
  count_sni({sni_port(443, 10), sni_port(8443, 1)});
  count_owners({owner("alice", 10, 1)});
  deliver_all();
  count_sni({sni_port(443, 14), sni_port(8443, 1)});
  count_owners({owner("alice", 13, 2), owner("bob", 1, 0)});
  send_all();
  new_session();
  const auto report = deliver_all();
  EXPECT_EQ(report.sni_ports, (std::vector{sni_port(443, 4), sni_port(8443, 0)}));
  EXPECT_EQ(report.owners, (std::vector{owner("alice", 3, 2), owner("bob", 1, 0)}));
}

TEST_F(StatsReporterTest, an_sni_port_that_comes_back_goes_on) {
  stats.begin_session(now);
  count_sni({sni_port(443, 10)});
  EXPECT_EQ(deliver_all().sni_ports, std::vector{sni_port(443, 10)});
  count_sni({sni_port(443, 12)});
  count_sni({});  // its last member left
  count_sni({sni_port(443, 20)});
  EXPECT_EQ(deliver_all().sni_ports, std::vector{sni_port(443, 32)});
  count_sni({sni_port(443, 3)});  // fallen: it came back between two looks
  EXPECT_EQ(deliver_all().sni_ports, std::vector{sni_port(443, 35)});
}

TEST_F(StatsReporterTest, an_owner_without_an_entry_has_nothing_live) {
  stats.begin_session(now);
  count({traffic(kSeven, 0, 0)});
  count_owners({owner("alice", 0, 3)});
  EXPECT_EQ(deliver_all().owners, std::vector{owner("alice", 0, 3)});
  count_owners({});
  EXPECT_EQ(deliver_all().owners, std::vector{owner("alice", 0, 0)});
}

/// A server as section 8 wants it, for every counter: prev starts at 0 with each session,
/// delta = max(0, v - prev).
struct Server {
  std::map<RuleId, Traffic> prev;
  std::map<RuleId, Traffic> booked;
  void session() { prev.clear(); }
  void take(const std::vector<Traffic>& report) {
    for (const Traffic& entry : report) {
      Traffic grown = entry;
      model::zip_counters(grown, prev[entry.rule],
                          [](auto& mine, auto before) { mine = std::max(mine, before) - before; });
      model::add_counters(booked[entry.rule], grown);
      prev[entry.rule] = entry;
    }
  }
};

/// An engine whose counters grow at random, each by itself, and what they moved in all.
struct Engine {
  Traffic raw = busy(0);
  Traffic moved = busy(0);
  std::mt19937 random;
  Traffic grown() {
    Traffic more = busy(0);
    model::zip_counters(more, more, [this](auto& mine, auto) { mine = random() % 1000; });
    model::add_counters(moved, more);
    return more;
  }
};

TEST_F(StatsReporterTest, D8_whatever_sessions_are_lost_everything_is_booked_once) {
  for (unsigned seed = 0; seed < 100; ++seed) {
    StatsReporter reporter{seconds(5)};
    Server server;
    Engine engine;
    engine.random.seed(seed);
    reporter.begin_session(now);
    for (int step = 0; step < 200; ++step) {
      model::add_counters(engine.raw, engine.grown());
      reporter.update_rules({&engine.raw, 1});
      if (engine.random() % 40 == 0) {
        const Traffic then = reporter.replaced(kSeven);
        Traffic last = engine.raw;
        model::add_counters(last, engine.grown());  // of the drain
        reporter.replaced_ended(then, last);
        engine.raw = busy(0);
        reporter.update_rules({&engine.raw, 1});
      }
      const auto report = reporter.report();
      ASSERT_TRUE(report);
      switch (engine.random() % 4) {
        case 0:  // the session dies with the report unsent
          reporter.end_session();
          reporter.begin_session(now);
          server.session();
          break;
        case 1:  // written, taken, and then the session dies
          server.take(report->traffic.rules);
          reporter.settle(report->number, true);
          reporter.end_session();
          reporter.begin_session(now);
          server.session();
          break;
        case 2:  // a failed write; the session dies later
          reporter.settle(report->number, false);
          break;
        default:
          server.take(report->traffic.rules);
          reporter.settle(report->number, true);
      }
      ASSERT_TRUE(model::covers_counters(engine.moved, server.booked[kSeven]))
          << "counted twice, seed " << seed;
    }
    server.take(reporter.report()->traffic.rules);
    EXPECT_TRUE(model::covers_counters(server.booked[kSeven], engine.moved))
        << "lost, seed " << seed;
  }
}

}  // namespace
}  // namespace portunus::client::agent
