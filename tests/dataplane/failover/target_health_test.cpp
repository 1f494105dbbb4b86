#include "dataplane/failover/target_health.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace portunus::dataplane::failover {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

/// One target on a scripted clock.
class TargetHealthTest : public testing::Test {
 protected:
  /// "ok", or the transition and its count.
  std::string fail(SteadyTime::duration at) { return text(health_.record_failure(start_ + at, 7)); }
  std::string succeed(SteadyTime::duration at) {
    return text(health_.record_success(start_ + at, 9));
  }
  void make_failed() {
    fail(seconds(0));
    fail(seconds(0));
    ASSERT_EQ(fail(seconds(0)), "Healthy>Failed 3");
  }
  static std::string text(const std::optional<TargetHealth::Change>& change) {
    if (!change) return "-";
    return std::string(health_name(change->from)) + ">" + std::string(health_name(change->to)) +
           " " + std::to_string(change->consecutive_failures);
  }

  const SteadyTime start_{std::chrono::hours(24 * 365 * 20) + nanoseconds(123456789)};
  TargetHealth health_;
};

TEST_F(TargetHealthTest, FO_2_starts_healthy_and_never_seen) {
  EXPECT_EQ(health_.health(), Health::healthy);
  EXPECT_EQ(health_.consecutive_failures(), 0u);
  EXPECT_EQ(health_.last_failure_unix_ms(), 0u);
  EXPECT_EQ(health_.last_success_unix_ms(), 0u);
  EXPECT_EQ(succeed(seconds(0)), "-");
}

TEST_F(TargetHealthTest, FO_2_the_third_failure_in_the_window_fails_it) {
  EXPECT_EQ(fail(seconds(0)), "-");
  EXPECT_EQ(health_.consecutive_failures(), 1u);
  EXPECT_EQ(fail(seconds(29)), "-");
  EXPECT_EQ(health_.consecutive_failures(), 2u);
  EXPECT_EQ(health_.health(), Health::healthy);
  EXPECT_EQ(fail(seconds(30)), "Healthy>Failed 3");
  EXPECT_EQ(health_.health(), Health::failed);
  EXPECT_EQ(health_.consecutive_failures(), 3u);
}

TEST_F(TargetHealthTest, FO_2_a_failure_after_the_window_starts_a_new_one_at_1) {
  fail(seconds(0));
  fail(seconds(29));
  EXPECT_EQ(fail(seconds(30) + nanoseconds(1)), "-");
  EXPECT_EQ(health_.consecutive_failures(), 1u);
  // The new window runs from that failure on; the one at 29 s is not in it.
  EXPECT_EQ(fail(seconds(31)), "-");
  EXPECT_EQ(fail(seconds(60)), "Healthy>Failed 3");
}

TEST_F(TargetHealthTest, FO_2_the_window_does_not_slide) {
  fail(seconds(0));
  fail(seconds(20));
  EXPECT_EQ(fail(seconds(40)), "-");  // 20 s after the second, but 40 s after the first
  EXPECT_EQ(health_.consecutive_failures(), 1u);
}

TEST_F(TargetHealthTest, FO_2_a_success_clears_count_and_window) {
  fail(seconds(0));
  fail(seconds(1));
  EXPECT_EQ(succeed(seconds(2)), "-");
  EXPECT_EQ(health_.consecutive_failures(), 0u);
  EXPECT_EQ(fail(seconds(3)), "-");
  EXPECT_EQ(fail(seconds(4)), "-");
  EXPECT_EQ(fail(seconds(32)), "Healthy>Failed 3");
}

TEST_F(TargetHealthTest, FO_2_two_successes_in_a_row_bring_it_back) {
  make_failed();
  EXPECT_EQ(succeed(seconds(1)), "-");
  EXPECT_EQ(health_.health(), Health::failed);
  EXPECT_EQ(succeed(seconds(1000)), "Failed>Healthy 0");
  EXPECT_EQ(health_.health(), Health::healthy);
  EXPECT_EQ(health_.consecutive_failures(), 0u);
  // And it takes three new failures to lose it again.
  EXPECT_EQ(fail(seconds(1001)), "-");
  EXPECT_EQ(fail(seconds(1002)), "-");
  EXPECT_EQ(fail(seconds(1003)), "Healthy>Failed 3");
}

TEST_F(TargetHealthTest, FO_2_a_failure_clears_the_run_of_successes) {
  make_failed();
  EXPECT_EQ(succeed(seconds(1)), "-");
  EXPECT_EQ(fail(seconds(2)), "-");
  EXPECT_EQ(health_.consecutive_failures(), 4u);
  EXPECT_EQ(succeed(seconds(3)), "-");
  EXPECT_EQ(health_.health(), Health::failed);
  EXPECT_EQ(succeed(seconds(4)), "Failed>Healthy 0");
}

TEST_F(TargetHealthTest, FO_2_a_clock_reading_from_before_the_window_is_inside_of_it) {
  fail(seconds(10));
  fail(seconds(9));
  EXPECT_EQ(fail(seconds(8)), "Healthy>Failed 3");
}

TEST_F(TargetHealthTest, FO_2_remembers_when_it_last_failed_and_succeeded) {
  health_.record_failure(start_, 1'700'000'000'001);
  health_.record_success(start_, 1'700'000'000'002);
  EXPECT_EQ(health_.last_failure_unix_ms(), 1'700'000'000'001u);
  EXPECT_EQ(health_.last_success_unix_ms(), 1'700'000'000'002u);
}

TEST(TargetHealthThreads, FO_3_exactly_one_caller_gets_each_transition) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 2000;
  TargetHealth health;
  std::atomic<int> changes{0};
  std::atomic<int> arrived{0};
  // All threads report the same at once; no step begins before every report of the last is in.
  const auto together = [&](int step) {
    arrived.fetch_add(1);
    while (arrived.load() < step * kThreads) std::this_thread::yield();
  };
  const auto report = [&] {
    int step = 0;
    for (int round = 1; round <= kRounds; ++round) {
      const SteadyTime now{seconds(round)};
      together(++step);
      if (health.record_failure(now, 1)) changes.fetch_add(1);
      together(++step);
      EXPECT_EQ(changes.load(), 2 * round - 1);
      EXPECT_EQ(health.consecutive_failures(), unsigned{kThreads});
      together(++step);
      if (health.record_success(now, 1)) changes.fetch_add(1);
      together(++step);
      EXPECT_EQ(changes.load(), 2 * round);
      EXPECT_EQ(health.consecutive_failures(), 0u);
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) threads.emplace_back(report);
  for (std::thread& thread : threads) thread.join();
}

TEST(TargetHealthThreads, FO_3_transitions_alternate_under_mixed_reports) {
  TargetHealth health;
  std::atomic<int> to_failed{0}, to_healthy{0};
  const auto report = [&](unsigned seed) {
    for (int i = 0; i < 20'000; ++i) {
      seed = seed * 1664525 + 1013904223;
      const SteadyTime now{milliseconds(i)};
      const auto change =
          (seed >> 16) % 2 == 0 ? health.record_failure(now, 1) : health.record_success(now, 1);
      if (!change) continue;
      EXPECT_NE(change->from, change->to);
      (change->to == Health::failed ? to_failed : to_healthy).fetch_add(1);
    }
  };
  std::thread a(report, 1), b(report, 2), c(report, 3);
  a.join(), b.join(), c.join();
  EXPECT_GT(to_failed.load(), 0);
  EXPECT_EQ(to_failed.load() - to_healthy.load(), health.health() == Health::failed ? 1 : 0);
}

}  // namespace
}  // namespace portunus::dataplane::failover
