#include "common/base/saturating.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace portunus {
namespace {

template <class T>
class SaturatingTest : public testing::Test {};
using Types = testing::Types<std::uint64_t, std::int64_t>;
TYPED_TEST_SUITE(SaturatingTest, Types);

TYPED_TEST(SaturatingTest, a_sum_stays_at_its_greatest_value) {
  constexpr TypeParam kMost = std::numeric_limits<TypeParam>::max();
  const auto sum = [](TypeParam a, TypeParam b) {
    add_saturating(a, b);
    return a;
  };
  EXPECT_EQ(sum(0, 0), TypeParam{0});
  EXPECT_EQ(sum(2, 3), TypeParam{5});
  EXPECT_EQ(sum(kMost - 3, 3), kMost);
  EXPECT_EQ(sum(kMost - 3, 4), kMost);
  EXPECT_EQ(sum(kMost, kMost), kMost);
  EXPECT_EQ(sum(0, kMost), kMost);
}

}  // namespace
}  // namespace portunus
