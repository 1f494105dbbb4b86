#include "common/base/deadline.hpp"

#include <gtest/gtest.h>

namespace portunus {
namespace {

using std::chrono::nanoseconds;
constexpr SteadyTime kNow{std::chrono::hours(1)};

TEST(Deadline, lies_behind_now_by_the_wait) {
  EXPECT_EQ(deadline_after(kNow, nanoseconds(0)), kNow);
  EXPECT_EQ(deadline_after(kNow, std::chrono::seconds(5)), kNow + std::chrono::seconds(5));
}

TEST(Deadline, is_the_last_instant_when_the_wait_reaches_beyond_it) {
  const nanoseconds most = SteadyTime::max() - kNow;
  EXPECT_EQ(deadline_after(kNow, most), SteadyTime::max());
  EXPECT_EQ(deadline_after(kNow, most - nanoseconds(1)), SteadyTime::max() - nanoseconds(1));
  EXPECT_EQ(deadline_after(kNow, nanoseconds::max()), SteadyTime::max());
}

}  // namespace
}  // namespace portunus
