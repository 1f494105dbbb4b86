#include "common/base/ulid.hpp"

#include <gtest/gtest.h>

#include <set>

namespace portunus {
namespace {

TEST(Ulid, carries_the_time_in_its_first_ten_characters) {
  ManualClock clock(1'469'922'850);
  clock.advance(std::chrono::milliseconds(259));
  EXPECT_EQ(make_ulid(clock).substr(0, 10), "01ARZ3NDEK");
  const std::string earlier = make_ulid(clock);
  clock.advance(std::chrono::milliseconds(1));
  EXPECT_LT(earlier, make_ulid(clock));
}

TEST(Ulid, is_canonical_and_does_not_repeat) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string id = make_ulid();
    EXPECT_TRUE(is_ulid(id)) << id;
    EXPECT_TRUE(seen.insert(id).second);
  }
}

TEST(Ulid, accepts_only_the_canonical_form) {
  EXPECT_TRUE(is_ulid("7ZZZZZZZZZZZZZZZZZZZZZZZZZ"));
  EXPECT_FALSE(is_ulid("8ZZZZZZZZZZZZZZZZZZZZZZZZZ"));
  EXPECT_FALSE(is_ulid("01arz3ndektsv4rrffq69g5fav"));
  EXPECT_FALSE(is_ulid("01ARZ3NDEKTSV4RRFFQ69G5FA"));
  EXPECT_FALSE(is_ulid("01ARZ3NDEKTSV4RRFFQ69G5FAI"));
  EXPECT_FALSE(is_ulid(""));
}

}  // namespace
}  // namespace portunus
