#include "common/async/backoff.hpp"

#include <gtest/gtest.h>

namespace portunus::async {
namespace {

using Millis = std::chrono::milliseconds;

TEST(Backoff, the_ceiling_doubles_up_to_the_cap) {
  Backoff backoff(Millis(500), Millis(30'000), 1);
  std::vector<std::int64_t> ceilings;
  for (int i = 0; i < 8; ++i) {
    ceilings.push_back(backoff.ceiling().count());
    backoff.next();
  }
  EXPECT_EQ(ceilings,
            (std::vector<std::int64_t>{500, 1000, 2000, 4000, 8000, 16000, 30000, 30000}));
}

TEST(Backoff, waits_are_spread_over_the_whole_range) {
  Backoff backoff(Millis(1000), Millis(1000), 42);
  std::int64_t low = 1000, high = 0;
  for (int i = 0; i < 2000; ++i) {
    const auto wait = backoff.next().count();
    ASSERT_GE(wait, 0);
    ASSERT_LE(wait, 1000);
    low = std::min(low, wait);
    high = std::max(high, wait);
  }
  EXPECT_LT(low, 50);
  EXPECT_GT(high, 950);
}

TEST(Backoff, reset_starts_over_and_extremes_do_not_overflow) {
  Backoff backoff(Millis(500), Millis(30'000), 1);
  for (int i = 0; i < 200; ++i) backoff.next();
  EXPECT_EQ(backoff.ceiling(), Millis(30'000));
  backoff.reset();
  EXPECT_EQ(backoff.ceiling(), Millis(500));
  Backoff zero(Millis(0), Millis(0), 1);
  EXPECT_EQ(zero.ceiling(), Millis(1));
  Backoff huge(Millis(INT64_MAX), Millis(INT64_MAX), 1);
  for (int i = 0; i < 100; ++i) huge.next();
  EXPECT_EQ(huge.ceiling(), Millis(INT64_MAX));
}

}  // namespace
}  // namespace portunus::async
