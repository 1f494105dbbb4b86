#include "server/quotas/budget.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "server/quotas/period.hpp"

namespace portunus::server::quotas {
namespace {

constexpr std::int64_t kDay = 86'400;
constexpr std::int64_t kStart = 1'704'067'200;  // 2024-01-01
constexpr std::int64_t kNext = 1'706'745'600;   // 2024-02-01
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

store::QuotaRow quota(std::int64_t limit, std::int64_t now = kStart) {
  store::QuotaRow row;
  (void)open_quota(row, limit, kStart, now);
  return row;
}

TEST(Budget, SQ_6_2_a_quota_opens_in_period_0_at_its_anchor_whatever_the_time) {
  for (const std::int64_t now : {kStart - 90 * kDay, kStart, kStart + 90 * kDay}) {
    const store::QuotaRow row = quota(100, now);
    EXPECT_EQ(row.period_started_at, kStart);
    EXPECT_EQ(row.billing_anchor, kStart);
    EXPECT_EQ(row.bytes_used, 0);
    EXPECT_EQ(row.created_at, now);
    EXPECT_EQ(row.updated_at, now);
    EXPECT_FALSE(row.exhausted_at);
  }
}

TEST(Budget, SQ_6_4_a_limit_of_0_is_exhausted_from_creation) {
  store::QuotaRow row;
  EXPECT_TRUE(open_quota(row, 0, kStart, 5).exhausted);
  EXPECT_EQ(row.exhausted_at, 5);
}

TEST(Budget, SQ_6_3_the_first_crossing_keeps_its_instant) {
  store::QuotaRow row = quota(100);
  EXPECT_FALSE(book(row, 99, kStart + 1).exhausted);
  EXPECT_FALSE(row.exhausted_at);
  EXPECT_TRUE(book(row, 1, kStart + 2).exhausted);  // used == limit
  EXPECT_EQ(row.exhausted_at, kStart + 2);
  EXPECT_FALSE(book(row, 50, kStart + 3).exhausted);
  EXPECT_EQ(row.exhausted_at, kStart + 2);
  EXPECT_EQ(row.bytes_used, 150);
  EXPECT_EQ(row.updated_at, kStart + 3);
  EXPECT_EQ(remaining(row), -50);
}

TEST(Budget, SQ_6_4_exhaustion_follows_every_write) {
  store::QuotaRow row = quota(100);
  (void)book(row, 100, kStart + 1);
  EXPECT_FALSE(set_limit(row, 101, kStart + 2).exhausted);
  EXPECT_FALSE(row.exhausted_at);
  EXPECT_TRUE(set_limit(row, 100, kStart + 3).exhausted);  // lowered to what is used
  EXPECT_EQ(row.exhausted_at, kStart + 3);
  EXPECT_FALSE(set_limit(row, 50, kStart + 4).exhausted);  // still
  EXPECT_EQ(row.exhausted_at, kStart + 3);
  EXPECT_FALSE(clear_usage(row, kStart + 5).exhausted);
  EXPECT_FALSE(row.exhausted_at);
  EXPECT_EQ(row.bytes_used, 0);
  EXPECT_EQ(row.period_started_at, kStart);
  EXPECT_EQ(row.billing_anchor, kStart);
}

TEST(Budget, SQ_6_5_clearing_a_quota_of_0_leaves_it_exhausted) {
  store::QuotaRow row = quota(0);
  EXPECT_FALSE(clear_usage(row, kStart + 5).exhausted);
  EXPECT_EQ(row.exhausted_at, kStart);
}

TEST(Budget, SQ_6_2_a_rollover_takes_usage_and_exhaustion_with_it) {
  store::QuotaRow row = quota(100);
  (void)book(row, 500, kStart + 1);
  EXPECT_FALSE(roll(row, kNext - 1).rolled);
  EXPECT_EQ(row.bytes_used, 500);
  EXPECT_EQ(row.updated_at, kStart + 1);  // nothing was written
  const Effect effect = roll(row, kNext);
  EXPECT_TRUE(effect.rolled);
  EXPECT_FALSE(effect.exhausted);
  EXPECT_EQ(row.period_started_at, kNext);
  EXPECT_EQ(row.bytes_used, 0);
  EXPECT_FALSE(row.exhausted_at);
  EXPECT_FALSE(roll(row, kNext).rolled);
  EXPECT_FALSE(roll(row, kStart).rolled);
}

TEST(Budget, SQ_6_2_a_rollover_of_a_limit_of_0_stays_exhausted) {
  store::QuotaRow row = quota(0);
  const Effect effect = roll(row, kNext);
  EXPECT_TRUE(effect.rolled);
  EXPECT_FALSE(effect.exhausted);
  EXPECT_EQ(row.exhausted_at, kStart);
}

TEST(Budget, SQ_6_3_usage_saturates) {
  store::QuotaRow row = quota(kMost);
  (void)book(row, static_cast<std::uint64_t>(kMost) - 1, kStart);
  EXPECT_EQ(row.bytes_used, kMost - 1);
  EXPECT_FALSE(row.exhausted_at);
  EXPECT_TRUE(book(row, std::numeric_limits<std::uint64_t>::max(), kStart).exhausted);
  EXPECT_EQ(row.bytes_used, kMost);
  EXPECT_FALSE(book(row, 1, kStart).exhausted);
  EXPECT_EQ(row.bytes_used, kMost);
  EXPECT_EQ(remaining(row), 0);
}

TEST(Budget, CW_2_4_the_edge_is_told_the_budget_and_the_period) {
  store::QuotaRow row = quota(100);
  (void)book(row, 142, kStart + 1);
  EXPECT_EQ(state_of(row), (model::QuotaState{.monthly_bytes = 100,
                                              .budget_remaining_bytes = -42,
                                              .period_started_at = kStart,
                                              .period_ends_at = kNext,
                                              .exhausted = true}));
  row.period_started_at = period_start(kStart, kLastPeriod);
  EXPECT_EQ(state_of(row).period_ends_at, kMost);
}

}  // namespace
}  // namespace portunus::server::quotas
