#include "server/control/write_queue.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

namespace portunus::server::control {
namespace {

v1::ServerMessage numbered(int number) {
  v1::ServerMessage message;
  message.mutable_rule_update()->set_request_id(std::to_string(number));
  return message;
}

int number_of(const v1::ServerMessage* message) {
  return std::stoi(message->rule_update().request_id());
}

TEST(WriteQueue, one_message_is_in_flight_the_others_follow_in_order) {
  WriteQueue queue;
  const auto* first = queue.push(numbered(1));
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(number_of(first), 1);
  EXPECT_EQ(queue.push(numbered(2)), nullptr);
  EXPECT_EQ(queue.push(numbered(3)), nullptr);
  EXPECT_EQ(number_of(first), 1);  // it stays where it is
  EXPECT_EQ(number_of(queue.written(true).message), 2);
  EXPECT_EQ(number_of(queue.written(true).message), 3);
  EXPECT_EQ(queue.written(true).message, nullptr);
  EXPECT_EQ(number_of(queue.push(numbered(4))), 4);
}

TEST(WriteQueue, CW_1_2_takes_32_messages_and_tells_once_when_half_are_gone) {
  WriteQueue queue;
  for (int i = 0; i < 32; ++i) {
    ASSERT_TRUE(queue.has_room()) << i;
    queue.push(numbered(i));
  }
  EXPECT_FALSE(queue.has_room());
  for (int left = 31; left >= 0; --left) EXPECT_EQ(queue.written(true).room, left == 16) << left;
  EXPECT_TRUE(queue.has_room());
}

TEST(WriteQueue, nobody_is_told_of_room_who_did_not_ask) {
  WriteQueue queue;
  for (int i = 0; i < 32; ++i) queue.push(numbered(i));
  for (int i = 0; i < 32; ++i) EXPECT_FALSE(queue.written(true).room);
}

TEST(WriteQueue, closing_keeps_only_the_message_in_flight) {
  WriteQueue queue;
  const auto* flying = queue.push(numbered(1));
  queue.push(numbered(2));
  EXPECT_FALSE(queue.close());
  EXPECT_EQ(number_of(flying), 1);
  EXPECT_EQ(queue.push(numbered(3)), nullptr);
  const auto next = queue.written(true);
  EXPECT_EQ(next.message, nullptr);
  EXPECT_TRUE(next.idle);
}

TEST(WriteQueue, closing_an_idle_one_needs_no_waiting) {
  WriteQueue queue;
  EXPECT_TRUE(queue.close());
  EXPECT_EQ(queue.push(numbered(1)), nullptr);
}

TEST(WriteQueue, after_a_failed_write_the_rest_is_dropped) {
  WriteQueue queue;
  queue.push(numbered(1));
  queue.push(numbered(2));
  const auto next = queue.written(false);
  EXPECT_EQ(next.message, nullptr);
  EXPECT_FALSE(next.idle);
  EXPECT_TRUE(queue.close());
}

TEST(WriteQueue, two_threads_lose_and_reorder_nothing) {
  constexpr int kCount = 3'000;
  WriteQueue queue;
  std::atomic<const v1::ServerMessage*> flying = nullptr;
  std::atomic<int> written = 0;
  std::thread writer([&] {
    while (written < kCount) {
      const auto* message = flying.exchange(nullptr);
      while (message != nullptr) {
        ASSERT_EQ(number_of(message), written);
        ++written;
        message = queue.written(true).message;
      }
      std::this_thread::yield();
    }
  });
  for (int i = 0; i < kCount;) {
    if (!queue.has_room()) {
      std::this_thread::yield();
      continue;
    }
    if (const auto* message = queue.push(numbered(i))) flying = message;
    ++i;
  }
  writer.join();
  EXPECT_TRUE(queue.close());
}

}  // namespace
}  // namespace portunus::server::control
