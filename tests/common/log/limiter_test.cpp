#include "common/log/limiter.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace portunus::log {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(LogLimiter, admits_ten_at_once_then_one_per_second) {
  Limiter limiter;
  ManualClock clock;
  clock.advance(seconds(100));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(limiter.admit(clock.steady_now()), 0U);
  for (int i = 0; i < 7; ++i) EXPECT_FALSE(limiter.admit(clock.steady_now()));
  clock.advance(seconds(1));
  EXPECT_EQ(limiter.admit(clock.steady_now()), 7U);
  EXPECT_FALSE(limiter.admit(clock.steady_now()));
  clock.advance(milliseconds(999));
  EXPECT_FALSE(limiter.admit(clock.steady_now()));
  clock.advance(milliseconds(1));
  EXPECT_EQ(limiter.admit(clock.steady_now()), 2U);
}

TEST(LogLimiter, a_quiet_time_restores_no_more_than_the_burst) {
  Limiter limiter;
  ManualClock clock;
  clock.advance(seconds(100));
  for (int i = 0; i < 10; ++i) limiter.admit(clock.steady_now());
  clock.advance(seconds(3600));
  int admitted = 0;
  while (limiter.admit(clock.steady_now())) ++admitted;
  EXPECT_EQ(admitted, 10);
}

TEST(LogLimiter, the_shared_one_suppresses_alike) {
  SharedLimiter limiter;
  ManualClock clock;
  clock.advance(seconds(100));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(limiter.admit(clock.steady_now()), 0U);
  for (int i = 0; i < 7; ++i) EXPECT_FALSE(limiter.admit(clock.steady_now()));
  clock.advance(seconds(1));
  EXPECT_EQ(limiter.admit(clock.steady_now()), 7U);
  EXPECT_FALSE(limiter.admit(clock.steady_now()));
  clock.advance(milliseconds(999));
  EXPECT_FALSE(limiter.admit(clock.steady_now()));
  clock.advance(seconds(3600));
  int admitted = 0;
  while (limiter.admit(clock.steady_now())) ++admitted;
  EXPECT_EQ(admitted, 10);
}

TEST(LogLimiter, the_lines_of_single_connections_have_room) {
  SharedLimiter limiter(kSingles);
  ManualClock clock;
  clock.advance(seconds(100));
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(limiter.admit(clock.steady_now()), 0U);
  EXPECT_FALSE(limiter.admit(clock.steady_now()));
  clock.advance(milliseconds(10));
  EXPECT_EQ(limiter.admit(clock.steady_now()), 1U);
  EXPECT_FALSE(limiter.admit(clock.steady_now()));
}

TEST(LogLimiter, the_shared_one_loses_no_line_between_threads) {
  SharedLimiter limiter;
  std::atomic<std::uint64_t> seen = 0;
  const auto now = SystemClock::instance().steady_now();
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 1000; ++i) {
          if (const auto suppressed = limiter.admit(now)) seen += 1 + *suppressed;
        }
      });
    }
  }
  const auto rest = limiter.admit(now + seconds(1));
  ASSERT_TRUE(rest);
  EXPECT_EQ(seen + *rest, 4000U);
}

}  // namespace
}  // namespace portunus::log
