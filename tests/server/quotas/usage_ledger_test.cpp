#include "server/quotas/usage_ledger.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "server/store/quota_store.hpp"
#include "tests/server/quotas/quota_fixture.hpp"

namespace portunus::server::quotas {
namespace {

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

UnbookedUsage usage(std::int64_t now, std::vector<model::OwnerUsage> entries) {
  UnbookedUsage out;
  out.add(now, entries);
  return out;
}

TEST(UnbookedUsage, SQ_6_3_sums_by_owner_and_minute_of_arrival) {
  UnbookedUsage sum;
  sum.add(kNow + 59, std::vector<model::OwnerUsage>{{"alice", 1, 2}, {"bob", 5, 0}});
  sum.add(kNow, std::vector<model::OwnerUsage>{{"alice", 10, 20}});
  sum.add(kNow + 60, std::vector<model::OwnerUsage>{{"alice", 100, 200}});
  ASSERT_EQ(sum.owners().size(), 2U);
  const auto& alice = sum.owners().at("alice");
  ASSERT_EQ(alice.size(), 2U);
  EXPECT_EQ(alice.at(kNow).in, 11U);
  EXPECT_EQ(alice.at(kNow).out, 22U);
  EXPECT_EQ(alice.at(kNow + 60).total(), 300U);
}

TEST(UnbookedUsage, SQ_6_3_nobody_and_nothing_count_nothing) {
  EXPECT_TRUE(usage(kNow, {{"", 5, 5}, {"alice", 0, 0}}).empty());
}

TEST(UnbookedUsage, sums_saturate) {
  UnbookedUsage sum = usage(kNow, {{"alice", kMost, 1}});
  sum.add(usage(kNow, {{"alice", 7, 0}}));
  EXPECT_EQ(sum.owners().at("alice").at(kNow).in, kMost);
  EXPECT_EQ(sum.owners().at("alice").at(kNow).total(), kMost);
}

TEST(UnbookedUsage, of_a_long_outage_the_earliest_minutes_are_one) {
  UnbookedUsage sum;
  for (int minute = 0; minute < 100; ++minute) {
    sum.add(kNow + minute * 60, std::vector<model::OwnerUsage>{{"alice", 1, 0}});
  }
  const auto& minutes = sum.owners().at("alice");
  ASSERT_EQ(minutes.size(), 60U);
  EXPECT_EQ(minutes.begin()->first, kNow + 40 * 60);
  EXPECT_EQ(minutes.begin()->second.in, 41U);
  EXPECT_EQ(minutes.rbegin()->second.in, 1U);
}

/// Booking itself, in transactions of the test.
class UsageLedgerTest : public QuotaFixture {
 protected:
  Result<std::vector<Booked>> book(const UnbookedUsage& sum, std::int64_t now,
                                   store::ClientRef client = {kEdge, "edge-01"}) {
    return store_->write_now([&](store::Connection& c) { return book_usage(c, client, sum, now); });
  }
  std::int64_t sample(std::string_view column, std::int64_t start) {
    return number("SELECT " + std::string(column) +
                  " FROM traffic_samples_1m WHERE start = " + std::to_string(start));
  }
};

TEST_F(UsageLedgerTest, SQ_6_3_samples_exist_without_a_quota) {
  const auto booked = book(usage(kNow + 61, {{"alice", 3, 4}, {"ghost", 1, 1}}), kNow + 61).value();
  ASSERT_EQ(booked.size(), 2U);
  EXPECT_FALSE(booked[0].quota);
  EXPECT_EQ(booked[0].bytes, 7U);
  EXPECT_EQ(number("SELECT count(*) FROM traffic_samples_1m"), 2);
  EXPECT_EQ(number("SELECT sum(bytes_in) FROM traffic_samples_1m"), 4);
  ASSERT_TRUE(book(usage(kNow + 119, {{"alice", 10, 10}}), kNow + 119));
  EXPECT_EQ(number("SELECT count(*) FROM traffic_samples_1m"), 2);
  EXPECT_EQ(number("SELECT max(bytes_in) FROM traffic_samples_1m"), 13);
}

TEST_F(UsageLedgerTest, SQ_6_2_a_delta_after_the_end_of_the_period_counts_into_the_next) {
  ASSERT_TRUE(put(100));
  ASSERT_TRUE(book(usage(kNow, {{"alice", 70, 0}}), kNow));
  const auto booked = book(usage(kNextMonth, {{"alice", 40, 0}}), kNextMonth).value();
  ASSERT_TRUE(booked[0].quota);
  EXPECT_TRUE(booked[0].effect.rolled);
  EXPECT_FALSE(booked[0].effect.exhausted);
  EXPECT_EQ(booked[0].quota->period_started_at, kNextMonth);
  EXPECT_EQ(booked[0].quota->bytes_used, 40);
}

TEST_F(UsageLedgerTest, SQ_6_3_one_report_is_one_transaction) {
  ASSERT_TRUE(put(100));
  ASSERT_TRUE(put(100, std::nullopt, "bob"));
  script(
      "CREATE TRIGGER no_bob BEFORE UPDATE ON traffic_quotas WHEN new.user_id = 'bob' "
      "BEGIN SELECT raise(ABORT, 'no'); END");
  EXPECT_FALSE(book(usage(kNow, {{"alice", 1, 0}, {"bob", 1, 0}}), kNow));
  EXPECT_EQ(number("SELECT sum(current_period_bytes_used) FROM traffic_quotas"), 0);
  EXPECT_EQ(number("SELECT count(*) FROM traffic_samples_1m"), 0);
}

TEST_F(UsageLedgerTest, SQ_6_3_a_sample_that_cannot_be_written_does_not_stop_the_quota) {
  ASSERT_TRUE(put(100));
  script("DROP TABLE traffic_samples_1m");
  const auto booked = book(usage(kNow, {{"alice", 30, 0}}), kNow).value();
  EXPECT_TRUE(booked[0].sample_error);
  EXPECT_EQ(booked[0].quota->bytes_used, 30);
  EXPECT_EQ(number("SELECT current_period_bytes_used FROM traffic_quotas"), 30);
}

TEST_F(UsageLedgerTest, SQ_6_3_a_sample_that_takes_the_transaction_with_it_books_nothing) {
  ASSERT_TRUE(put(100));
  ASSERT_TRUE(put(100, std::nullopt, "bob"));
  // What SQLite does by itself when the disk is full or fails.
  script(
      "CREATE TRIGGER no_room BEFORE INSERT ON traffic_samples_1m "
      "WHEN (SELECT user_id FROM traffic_series WHERE series_id = new.series_id) = 'bob' "
      "BEGIN SELECT raise(ROLLBACK, 'no room'); END");
  UnbookedUsage sum = usage(kNow, {{"alice", 30, 0}, {"bob", 40, 0}});
  sum.add(usage(kNow + 60, {{"bob", 2, 0}}));
  const auto refused = book(sum, kNow + 60);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().text().find("no room"), std::string::npos) << refused.error().text();
  EXPECT_EQ(number("SELECT sum(current_period_bytes_used) FROM traffic_quotas"), 0);
  EXPECT_EQ(number("SELECT count(*) FROM traffic_samples_1m"), 0);
  EXPECT_EQ(number("SELECT count(*) FROM traffic_series"), 0);
  script("DROP TRIGGER no_room");
  ASSERT_TRUE(book(sum, kNow + 60));
  EXPECT_EQ(number("SELECT sum(current_period_bytes_used) FROM traffic_quotas"), 72);
}

TEST_F(UsageLedgerTest, SQ_6_3_usage_that_a_full_store_refused_is_charged_once) {
  ASSERT_TRUE(put(10'000));
  // Samples that need more pages than there are, and behind them an owner with a quota.
  UnbookedUsage sum = usage(kNow, {{"alice", 1000, 0}});
  for (int minute = 0; minute < 60; ++minute) {
    for (int owner = 0; owner < 50; ++owner) {
      sum.add(usage(kNow + minute * 60, {{"a-" + std::to_string(owner), 1, 0}}));
    }
  }
  script("PRAGMA max_page_count = " + std::to_string(number("PRAGMA page_count")));
  EXPECT_FALSE(book(sum, kNow + 3600));
  EXPECT_EQ(number("SELECT current_period_bytes_used FROM traffic_quotas"), 0);
  script("PRAGMA max_page_count = 1000000");
  ASSERT_TRUE(book(sum, kNow + 3600));
  EXPECT_EQ(number("SELECT current_period_bytes_used FROM traffic_quotas"), 1000);
}

TEST_F(UsageLedgerTest, SQ_3_usage_of_a_client_deleted_meanwhile_counts_under_its_name) {
  ASSERT_TRUE(put(100));
  ASSERT_TRUE(
      store_->write_now([&](store::Connection& c) { return store::remove_client(c, kEdge); }));
  const auto booked = book(usage(kNow, {{"alice", 30, 0}}), kNow).value();
  ASSERT_TRUE(booked[0].quota);
  EXPECT_EQ(booked[0].quota->client, (store::ClientRef{std::nullopt, "edge-01"}));
  EXPECT_EQ(booked[0].quota->bytes_used, 30);
  EXPECT_EQ(number("SELECT count(*) FROM traffic_series WHERE client_id IS NULL"), 1);
}

TEST_F(UsageLedgerTest, SQ_3_usage_of_a_renamed_client_counts_for_the_client) {
  ASSERT_TRUE(put(100));
  ASSERT_TRUE(store_->write_now(
      [&](store::Connection& c) { return store::rename_client(c, kEdge, "edge-09"); }));
  const auto booked = book(usage(kNow, {{"alice", 30, 0}}), kNow).value();
  EXPECT_EQ(booked[0].quota->client, (store::ClientRef{kEdge, "edge-09"}));
  EXPECT_EQ(number("SELECT count(*) FROM traffic_series WHERE client_name = 'edge-09'"), 1);
}

TEST_F(UsageLedgerTest, samples_saturate) {
  ASSERT_TRUE(book(usage(kNow, {{"alice", kMost, 1}}), kNow));
  ASSERT_TRUE(book(usage(kNow, {{"alice", 5, 1}}), kNow));
  EXPECT_EQ(sample("bytes_in", kNow), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(sample("bytes_out", kNow), 2);
}

}  // namespace
}  // namespace portunus::server::quotas
