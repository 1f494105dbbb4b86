#include "server/audit/hand_off.hpp"

#include <gtest/gtest.h>

#include <string>

// The queue of store-and-quotas 5.

namespace portunus::server::audit {
namespace {

Handed numbered(int number) {
  Handed out;
  out.row.path = std::to_string(number);
  out.at = SteadyTime(std::chrono::seconds(number));
  return out;
}

TEST(HandOff, SQ_5_wakes_the_writer_for_the_first_entry_and_for_a_whole_batch) {
  HandOff queue(8, 3);
  EXPECT_EQ(queue.put(numbered(1)), HandOff::Put::wake);
  EXPECT_EQ(queue.put(numbered(2)), HandOff::Put::waiting);
  EXPECT_EQ(queue.put(numbered(3)), HandOff::Put::wake);
  EXPECT_EQ(queue.put(numbered(4)), HandOff::Put::waiting);
  EXPECT_EQ(queue.size(), 4U);
}

TEST(HandOff, SQ_5_a_full_queue_keeps_what_it_has) {
  HandOff queue(2, 2);
  queue.put(numbered(1));
  queue.put(numbered(2));
  EXPECT_EQ(queue.put(numbered(3)), HandOff::Put::full);
  const auto batch = queue.take();
  ASSERT_EQ(batch.size(), 2U);
  EXPECT_EQ(batch[0].row.path, "1");
  EXPECT_EQ(batch[1].row.path, "2");
  EXPECT_EQ(queue.put(numbered(4)), HandOff::Put::wake);
}

TEST(HandOff, SQ_5_gives_at_most_a_batch_and_the_oldest_first) {
  HandOff queue(8, 3);
  EXPECT_EQ(queue.oldest(), std::nullopt);
  for (int i = 1; i <= 5; ++i) queue.put(numbered(i));
  EXPECT_EQ(queue.oldest(), SteadyTime(std::chrono::seconds(1)));
  EXPECT_EQ(queue.take().size(), 3U);
  EXPECT_EQ(queue.oldest(), SteadyTime(std::chrono::seconds(4)));
  const auto rest = queue.take();
  ASSERT_EQ(rest.size(), 2U);
  EXPECT_EQ(rest[0].row.path, "4");
  EXPECT_TRUE(queue.take().empty());
}

TEST(HandOff, takes_nothing_once_it_is_closed_and_keeps_what_is_in_it) {
  HandOff queue(8, 3);
  queue.put(numbered(1));
  queue.close();
  EXPECT_EQ(queue.put(numbered(2)), HandOff::Put::closed);
  EXPECT_EQ(queue.take().size(), 1U);
}

}  // namespace
}  // namespace portunus::server::audit
