#include "client/agent/stats_reporter.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

namespace portunus::client::agent {
namespace {

using std::chrono::seconds;
using Traffic = model::RuleTraffic;

constexpr RuleId kSeven{7};
constexpr RuleId kEight{8};

Traffic traffic(RuleId id, std::uint64_t in, std::uint64_t out, std::uint32_t active = 0) {
  return {id, in, out, active};
}

class StatsReporterTest : public testing::Test {
 protected:
  void count(std::vector<Traffic> counters) { stats.update(counters); }
  /// Makes a report, whose fate is open.
  std::vector<Traffic> send() {
    const auto report = stats.report();
    if (!report) return {};
    number = report->number;
    return report->rules;
  }
  std::vector<Traffic> deliver() {
    auto out = send();
    stats.settle(number, true);
    return out;
  }
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
  stats.forget(kSeven);
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

TEST_F(StatsReporterTest, a_rule_removed_and_installed_anew_starts_at_0) {
  stats.begin_session(now);
  count({traffic(kSeven, 1000, 0)});
  deliver();
  new_session();
  count({traffic(kSeven, 1500, 0)});
  send();
  stats.forget(kSeven);
  count({traffic(kSeven, 4, 0)});
  stats.settle(number, true);  // of the former rule: says nothing about the new one
  EXPECT_EQ(deliver(), (std::vector{traffic(kSeven, 4, 0)}));
  new_session();
  count({traffic(kSeven, 6, 0)});
  EXPECT_EQ(deliver(), (std::vector{traffic(kSeven, 2, 0)}));
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

/// A server as section 8 wants it: prev starts at 0 with each session, delta = max(0, v - prev).
struct Server {
  std::map<RuleId, Traffic> prev;
  std::map<RuleId, std::uint64_t> booked;
  void session() { prev.clear(); }
  void take(const std::vector<Traffic>& report) {
    for (const Traffic& entry : report) {
      Traffic& before = prev[entry.rule];
      if (entry.bytes_in > before.bytes_in) booked[entry.rule] += entry.bytes_in - before.bytes_in;
      before = entry;
    }
  }
};

TEST_F(StatsReporterTest, D8_whatever_sessions_are_lost_every_byte_is_booked_once) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    StatsReporter reporter{seconds(5)};
    Server server;
    reporter.begin_session(now);
    std::uint64_t raw = 0;
    std::uint64_t moved = 0;
    for (int step = 0; step < 300; ++step) {
      const auto bytes = random() % 1000;
      raw += bytes;
      moved += bytes;
      const Traffic counters[] = {traffic(kSeven, raw, 0)};
      reporter.update(counters);
      if (random() % 40 == 0) {
        const Traffic then = reporter.replaced(kSeven);
        const auto late = random() % 100;
        moved += late;
        reporter.replaced_ended(then, traffic(kSeven, raw + late, 0));
        raw = 0;
      }
      const auto report = reporter.report();
      ASSERT_TRUE(report);
      switch (random() % 4) {
        case 0:  // the session dies with the report unsent
          reporter.end_session();
          reporter.begin_session(now);
          server.session();
          break;
        case 1:  // written, taken, and then the session dies
          server.take(report->rules);
          reporter.settle(report->number, true);
          reporter.end_session();
          reporter.begin_session(now);
          server.session();
          break;
        case 2:  // a failed write; the session dies later
          reporter.settle(report->number, false);
          break;
        default:
          server.take(report->rules);
          reporter.settle(report->number, true);
      }
      ASSERT_LE(server.booked[kSeven], moved) << "counted twice, seed " << seed;
    }
    const auto last = reporter.report();
    server.take(last->rules);
    EXPECT_EQ(server.booked[kSeven], moved) << "lost, seed " << seed;
  }
}

}  // namespace
}  // namespace portunus::client::agent
