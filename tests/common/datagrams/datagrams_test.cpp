#include "common/datagrams/datagrams.hpp"

#include <gtest/gtest.h>

#include <array>

namespace portunus::datagrams {
namespace {

constexpr std::array<std::byte, 2500> kBytes{};

TEST(Datagrams, one_and_the_empty_one_count_as_one) {
  EXPECT_EQ(Datagrams::one(kBytes.data(), 7).count, 1U);
  Datagrams empty = Datagrams::one(kBytes.data(), 0);
  EXPECT_FALSE(empty.empty());
  const Datagrams taken = empty.take(1);
  EXPECT_EQ(taken.count, 1U);
  EXPECT_EQ(taken.size, 0U);
  EXPECT_TRUE(empty.empty());
}

TEST(Datagrams, UDP_8_joined_ones_come_apart_where_the_kernel_joined_them) {
  Datagrams all = Datagrams::joined(kBytes.data(), 2500, 1000);
  EXPECT_EQ(all.count, 3U);
  EXPECT_FALSE(all.even());
  const Datagrams first = all.take(1);
  EXPECT_EQ(first.data, kBytes.data());
  EXPECT_EQ(first.size, 1000U);
  EXPECT_EQ(all.count, 2U);
  EXPECT_EQ(all.segment, 1000U);
  EXPECT_EQ(all.take(1).data, kBytes.data() + 1000);
  EXPECT_EQ(all.count, 1U);
  EXPECT_EQ(all.segment, 500U);
  const Datagrams last = all.take(5);
  EXPECT_EQ(last.size, 500U);
  EXPECT_EQ(last.count, 1U);
  EXPECT_TRUE(all.empty());
}

TEST(Datagrams, a_front_of_several_keeps_their_size) {
  Datagrams all = Datagrams::joined(kBytes.data(), 2500, 1000);
  const Datagrams front = all.take(2);
  EXPECT_EQ(front.count, 2U);
  EXPECT_EQ(front.size, 2000U);
  EXPECT_TRUE(front.even());
  EXPECT_EQ(all.size, 500U);
}

TEST(Datagrams, what_is_no_longer_than_its_segment_is_one) {
  const Datagrams one = Datagrams::joined(kBytes.data(), 500, 1000);
  EXPECT_EQ(one.count, 1U);
  EXPECT_EQ(one.segment, 500U);
}

}  // namespace
}  // namespace portunus::datagrams
