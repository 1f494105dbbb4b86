#include "portal/quic/datagram_queue.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <string>
#include <vector>

namespace portunus::portal::quic {
namespace {

std::vector<std::uint8_t> filled(std::size_t size, std::uint8_t with) {
  return std::vector<std::uint8_t>(size, with);
}

TEST(PortalQuicDatagrams, S8_the_oldest_are_dropped_for_new_ones) {
  DatagramQueue queue(4 * (1000 + 4));
  for (std::uint8_t i = 0; i < 10; ++i) ASSERT_TRUE(queue.push(filled(1000, i)));
  EXPECT_EQ(queue.size(), 4U);
  EXPECT_EQ(queue.dropped(), 6U);
  for (std::uint8_t i = 6; i < 10; ++i) {
    EXPECT_EQ(queue.front()->front(), i);
    queue.pop();
  }
  EXPECT_FALSE(queue.front().has_value());
  EXPECT_FALSE(queue.push(filled(5000, 1)));
}

TEST(PortalQuicDatagrams, S8_empty_ones_are_bounded_too) {
  DatagramQueue queue(1000);
  for (int i = 0; i < 10'000; ++i) ASSERT_TRUE(queue.push({}));
  EXPECT_EQ(queue.size(), 250U);
}

TEST(PortalQuicDatagrams, order_and_contents_survive_any_mix) {
  std::mt19937 random(7);
  DatagramQueue queue(100'000);
  std::deque<std::vector<std::uint8_t>> expected;
  std::size_t lost = 0;
  for (int i = 0; i < 50'000; ++i) {
    if (random() % 5 < 3) {
      auto bytes = filled(random() % 3000, static_cast<std::uint8_t>(i));
      const std::size_t half = bytes.size() / 2;
      ASSERT_TRUE(queue.push(std::span(bytes).first(half), std::span(bytes).subspan(half)));
      expected.push_back(std::move(bytes));
      for (; lost < queue.dropped(); ++lost) expected.pop_front();
    } else if (!expected.empty()) {
      const auto front = *queue.front();
      ASSERT_TRUE(std::ranges::equal(front, expected.front()));
      queue.pop();
      expected.pop_front();
    }
    ASSERT_EQ(queue.size(), expected.size());
  }
}

}  // namespace
}  // namespace portunus::portal::quic
