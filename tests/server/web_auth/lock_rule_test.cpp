#include "server/web_auth/lock_rule.hpp"

#include <gtest/gtest.h>

namespace portunus::server::web_auth {
namespace {

using namespace std::chrono_literals;

constexpr SystemTime kStart{std::chrono::seconds(1'700'000'000)};

std::optional<store::AttemptRow> failures(int count, SystemTime now) {
  std::optional<store::AttemptRow> row;
  for (int i = 0; i < count; ++i) row = after_failure(row, now);
  return row;
}

TEST(LockRule, HTTP_3_5_the_fifth_failure_locks_for_60_seconds) {
  for (int count = 1; count <= 4; ++count) {
    const auto row = failures(count, kStart);
    EXPECT_EQ(row->failures, count);
    EXPECT_EQ(row->locked_until, std::nullopt);
    EXPECT_EQ(lock_left(*row, kStart), std::nullopt);
  }
  const auto row = failures(5, kStart);
  EXPECT_EQ(row->locked_until, kStart + 60s);
  EXPECT_EQ(lock_left(*row, kStart), 60s);
}

TEST(LockRule, HTTP_3_5_each_further_failure_doubles_the_lock_up_to_900_seconds) {
  const std::pair<int, std::chrono::seconds> rows[] = {
      {6, 120s}, {7, 240s}, {8, 480s}, {9, 900s}, {10, 900s}, {20, 900s}, {200, 900s}};
  for (const auto& [count, lock] : rows) {
    EXPECT_EQ(failures(count, kStart)->locked_until, kStart + lock) << count;
  }
}

TEST(LockRule, HTTP_3_5_what_is_left_is_whole_seconds_and_at_least_one) {
  const auto row = *failures(5, kStart);
  EXPECT_EQ(lock_left(row, kStart + 1us), 60s);
  EXPECT_EQ(lock_left(row, kStart + 1s), 59s);
  EXPECT_EQ(lock_left(row, kStart + 58500ms), 2s);
  EXPECT_EQ(lock_left(row, kStart + 60s - 1us), 1s);
  EXPECT_EQ(lock_left(row, kStart + 60s), std::nullopt);
}

TEST(LockRule, HTTP_3_5_a_burst_ends_with_its_lock) {
  const auto locked = failures(5, kStart);
  const auto inside = after_failure(locked, kStart + 60s - 1us);
  EXPECT_EQ(inside.failures, 6);
  const auto after = after_failure(locked, kStart + 60s);
  EXPECT_EQ(after.failures, 1);
  EXPECT_EQ(after.first_failed_at, kStart + 60s);
  EXPECT_EQ(after.locked_until, std::nullopt);
}

TEST(LockRule, HTTP_3_5_a_burst_ends_15_minutes_after_its_last_failure) {
  const auto before = failures(4, kStart);
  const auto inside = after_failure(before, kStart + 15min - 1us);
  EXPECT_EQ(inside.failures, 5);
  EXPECT_EQ(inside.first_failed_at, kStart);
  EXPECT_EQ(inside.last_failed_at, kStart + 15min - 1us);
  EXPECT_EQ(after_failure(before, kStart + 15min).failures, 1);
  // It is the last one that counts, not the first.
  auto slow = before;
  slow = after_failure(failures(1, kStart), kStart + 14min);
  EXPECT_EQ(after_failure(slow, kStart + 28min).failures, 3);
}

TEST(LockRule, a_clock_that_was_set_back_locks_nobody_out_for_longer_than_the_longest_lock) {
  const auto row = *failures(9, kStart);
  EXPECT_EQ(lock_left(row, kStart - 1s), std::nullopt);
  EXPECT_EQ(lock_left(row, kStart - 24h), std::nullopt);
  EXPECT_EQ(after_failure(row, kStart - 24h).failures, 1);
}

}  // namespace
}  // namespace portunus::server::web_auth
