#include "tests/server/quotas/quota_fixture.hpp"

// Usage and periods (store-and-quotas 6.2 to 6.4).

namespace portunus::server::quotas {
namespace {

class QuotaClockworkTest : public QuotaFixture {
 protected:
  void check_periods() {
    auto done = [](QuotaService& service) -> async::Task<bool> {
      co_await service.check_periods();
      co_return true;
    };
    io_.run(done(*service_));
  }
  QuotaNumbers numbers() {
    const auto all = service_->numbers();
    EXPECT_EQ(all.size(), 1U);
    return all.empty() ? QuotaNumbers{} : all.front();
  }
};

TEST_F(QuotaClockworkTest, SQ_6_3_in_and_out_count_and_only_the_crossing_is_told) {
  ASSERT_TRUE(put(1000));
  report(300, 200);
  expect_used(500);
  EXPECT_EQ(sink_.told.size(), 1U);
  clock_.advance(std::chrono::seconds(5));
  report(400, 200);
  io_.run_until([&] { return sink_.told.size() == 2; });
  EXPECT_EQ(sink_.told.back().state, (model::QuotaState{.monthly_bytes = 1000,
                                                        .budget_remaining_bytes = -100,
                                                        .period_started_at = kNow,
                                                        .period_ends_at = kNextMonth,
                                                        .exhausted = true}));
  EXPECT_EQ(status()->exhausted_at, kNow + 5);
  clock_.advance(std::chrono::seconds(5));
  report(1, 0);
  expect_used(1101);
  EXPECT_EQ(status()->exhausted_at, kNow + 5);
  EXPECT_EQ(sink_.told.size(), 2U);
  EXPECT_EQ(numbers().exhaustions, 1U);
  EXPECT_EQ(numbers().bytes_used, 1101);
  EXPECT_TRUE(numbers().exhausted);
  EXPECT_EQ(log_.count("traffic_aggregator.accumulated",
                       {"\"level\":\"DEBUG\"",
                        "\"user\":\"alice\",\"client\":\"edge-01\",\"delta_total\":600,"
                        "\"used\":1100,\"monthly\":1000}"}),
            1U);
}

TEST_F(QuotaClockworkTest, SQ_6_3_users_without_a_quota_leave_only_history) {
  report(3, 4, "bob");
  io_.run_until([&] { return log_.count("traffic_aggregator.no_row") == 1; });
  EXPECT_EQ(log_.count("traffic_aggregator.no_row",
                       {"\"user\":\"bob\",\"client\":\"edge-01\",\"delta_total\":7}"}),
            1U);
  EXPECT_EQ(number("SELECT bytes_in + bytes_out FROM traffic_samples_1m"), 7);
}

TEST_F(QuotaClockworkTest, reports_that_outrun_the_store_are_one_transaction) {
  ASSERT_TRUE(put(1000));
  for (int i = 0; i < 100; ++i) report(1, 1);
  expect_used(200);
  // The first perhaps, and all the others.
  EXPECT_LE(log_.count("traffic_aggregator.accumulated"), 2U);
}

TEST_F(QuotaClockworkTest, SQ_8_4_what_the_store_refuses_is_booked_later_and_once) {
  ASSERT_TRUE(put(1000));
  script(
      "CREATE TRIGGER no_more BEFORE UPDATE ON traffic_quotas "
      "BEGIN SELECT raise(ABORT, 'no'); END");
  report(10, 0);
  io_.run_until([&] { return log_.count("traffic_aggregator.accumulate_failed") == 1; });
  EXPECT_EQ(log_.count("traffic_aggregator.accumulate_failed",
                       {"\"level\":\"ERROR\"", "\"client\":\"edge-01\",\"user\":\"alice\"}"}),
            1U);
  clock_.advance(std::chrono::seconds(60));
  report(20, 0);
  io_.run_until([&] { return log_.count("traffic_aggregator.accumulate_failed") == 2; });
  EXPECT_EQ(status()->bytes_used, 0);
  script("DROP TRIGGER no_more");
  report(30, 0);
  expect_used(60);
  EXPECT_EQ(number("SELECT count(*) FROM traffic_samples_1m"), 2);  // each in its own minute
  EXPECT_EQ(number("SELECT bytes_in FROM traffic_samples_1m ORDER BY start"), 10);
}

TEST_F(QuotaClockworkTest, SQ_8_4_the_end_books_what_is_left) {
  ASSERT_TRUE(put(1000));
  script(
      "CREATE TRIGGER no_more BEFORE UPDATE ON traffic_quotas "
      "BEGIN SELECT raise(ABORT, 'no'); END");
  report(10, 0);
  io_.run_until([&] { return log_.count("traffic_aggregator.accumulate_failed") == 1; });
  script("DROP TRIGGER no_more");
  service_->request_stop();
  report(5, 0);  // a session that was still open
  EXPECT_TRUE(io_.run(service_->drain(std::chrono::seconds(5))));
  EXPECT_EQ(number("SELECT current_period_bytes_used FROM traffic_quotas"), 15);
  service_.reset();
  start_service();
  EXPECT_EQ(status()->bytes_used, 15);
}

TEST_F(QuotaClockworkTest, OBS_2_history_that_cannot_be_written_is_an_error_line) {
  ASSERT_TRUE(put(1000));
  script("DROP TABLE traffic_samples_1m");
  report(10, 0);
  expect_used(10);
  EXPECT_EQ(log_.count("traffic_aggregator.sample_write_failed",
                       {"\"level\":\"ERROR\"", "\"client\":\"edge-01\",\"user\":\"alice\"}"}),
            1U);
}

TEST_F(QuotaClockworkTest, OBS_2_a_quota_that_vanished_from_the_store_is_told_of_and_forgotten) {
  ASSERT_TRUE(put(1000));
  script("DELETE FROM traffic_quotas");
  report(10, 5);
  io_.run_until([&] { return log_.count("traffic_quota.accumulate_missing") == 1; });
  EXPECT_EQ(log_.count("traffic_quota.accumulate_missing",
                       {"\"user\":\"alice\",\"client\":\"edge-01\",\"delta\":15}"}),
            1U);
  EXPECT_FALSE(sink_.told.back().state);
  EXPECT_TRUE(service_->numbers().empty());
}

TEST_F(QuotaClockworkTest, SQ_6_2_periods_begin_and_are_told) {
  ASSERT_TRUE(put(100));
  report(150, 0);
  io_.run_until([&] { return sink_.told.size() == 2; });
  clock_.advance(std::chrono::seconds(kNextMonth - kNow - 1));
  check_periods();
  EXPECT_EQ(sink_.told.size(), 2U);
  EXPECT_EQ(log_.count("traffic_rollover.tick"), 0U);

  clock_.advance(std::chrono::seconds(1));
  check_periods();
  ASSERT_EQ(sink_.told.size(), 3U);
  EXPECT_EQ(sink_.told.back().state->budget_remaining_bytes, 100);
  EXPECT_EQ(sink_.told.back().state->period_started_at, kNextMonth);
  EXPECT_FALSE(sink_.told.back().state->exhausted);
  EXPECT_EQ(numbers().period_resets, 1U);
  EXPECT_EQ(log_.count("traffic_quota.period_rolled",
                       {"\"user\":\"alice\",\"client\":\"edge-01\",\"new_start\":1706745600}"}),
            1U);
  EXPECT_EQ(log_.count("traffic_rollover.tick", {"\"advanced\":1}"}), 1U);
  check_periods();
  EXPECT_EQ(sink_.told.size(), 3U);
  EXPECT_EQ(status()->bytes_used, 0);
  EXPECT_EQ(number("SELECT count(*) FROM traffic_samples_1m"), 1);  // history stays
}

TEST_F(QuotaClockworkTest, SQ_6_2_skipped_months_are_one_reset) {
  ASSERT_TRUE(put(100));
  clock_.advance(std::chrono::hours(24 * 200));
  check_periods();
  EXPECT_EQ(numbers().period_resets, 1U);
  EXPECT_EQ(status()->period_started_at, kNow + (31 + 29 + 31 + 30 + 31 + 30) * 86'400);
}

TEST_F(QuotaClockworkTest, SQ_6_2_a_past_anchor_is_carried_to_now_by_the_first_check) {
  ASSERT_TRUE(put(100, kNow - 45 * 86'400));  // 2023-11-17
  check_periods();
  EXPECT_EQ(status()->period_started_at, kNow - 15 * 86'400);  // 12-17
  EXPECT_EQ(sink_.told.size(), 2U);
}

TEST_F(QuotaClockworkTest, SQ_6_2_usage_before_a_future_anchor_counts_into_period_0) {
  ASSERT_TRUE(put(100, kNextMonth));
  report(40, 0);
  expect_used(40);
  clock_.advance(std::chrono::seconds(kNextMonth - kNow));
  check_periods();
  EXPECT_EQ(status()->bytes_used, 40);
  EXPECT_EQ(status()->period_started_at, kNextMonth);
}

TEST_F(QuotaClockworkTest, SQ_6_2_a_report_after_the_end_begins_the_period_first) {
  ASSERT_TRUE(put(100));
  report(90, 0);
  expect_used(90);
  clock_.advance(std::chrono::seconds(kNextMonth - kNow + 30));
  report(50, 0);
  io_.run_until([&] { return sink_.told.size() == 2; });
  EXPECT_EQ(sink_.told.back().state->budget_remaining_bytes, 50);
  EXPECT_EQ(numbers().period_resets, 1U);
  EXPECT_EQ(numbers().exhaustions, 0U);
  check_periods();
  EXPECT_EQ(numbers().period_resets, 1U);
}

TEST_F(QuotaClockworkTest, SQ_6_2_missed_rollovers_happen_before_anyone_is_served) {
  ASSERT_TRUE(put(100));
  report(150, 0);
  io_.run_until([&] { return sink_.told.size() == 2; });
  stop_service();
  clock_.advance(std::chrono::hours(24 * 40));
  start_service();
  EXPECT_EQ(service_->state(kEdge, "alice")->budget_remaining_bytes, 100);
  EXPECT_FALSE(service_->state(kEdge, "alice")->exhausted);
  EXPECT_EQ(numbers().period_resets, 1U);
  EXPECT_EQ(log_.count("traffic_quota.period_rolled"), 1U);
  EXPECT_EQ(number("SELECT current_period_started_at FROM traffic_quotas"), kNextMonth);
}

TEST_F(QuotaClockworkTest, SQ_6_2_the_timer_checks_by_itself) {
  ASSERT_TRUE(put(100));
  service_->start(std::chrono::milliseconds(5));
  clock_.advance(std::chrono::seconds(kNextMonth - kNow));
  io_.run_until([&] { return sink_.told.size() == 2; });
  EXPECT_EQ(status()->period_started_at, kNextMonth);
}

TEST_F(QuotaClockworkTest, the_timer_retries_what_no_report_follows) {
  ASSERT_TRUE(put(1000));
  script(
      "CREATE TRIGGER no_more BEFORE UPDATE ON traffic_quotas "
      "BEGIN SELECT raise(ABORT, 'no'); END");
  report(10, 0);
  io_.run_until([&] { return log_.count("traffic_aggregator.accumulate_failed") == 1; });
  script("DROP TRIGGER no_more");
  service_->start(std::chrono::milliseconds(5));
  expect_used(10);
}

TEST_F(QuotaClockworkTest, OBS_2_a_check_that_cannot_write_says_so_and_the_next_one_does) {
  ASSERT_TRUE(put(100));
  script(
      "CREATE TRIGGER no_more BEFORE UPDATE ON traffic_quotas "
      "BEGIN SELECT raise(ABORT, 'no'); END");
  clock_.advance(std::chrono::hours(24 * 40));
  check_periods();
  EXPECT_EQ(log_.count("traffic_rollover.tick_failed", {"\"level\":\"ERROR\""}), 1U);
  EXPECT_EQ(status()->period_started_at, kNow);
  script("DROP TRIGGER no_more");
  check_periods();
  EXPECT_EQ(status()->period_started_at, kNextMonth);
}

TEST_F(QuotaClockworkTest, OBS_2_refused_messages_of_either_kind_are_told_of) {
  ASSERT_TRUE(put(100));
  sink_.refuses = true;
  report(150, 0);
  io_.run_until([&] { return log_.count("traffic_quota.exhaust_push_failed") == 1; });
  clock_.advance(std::chrono::hours(24 * 40));
  check_periods();
  EXPECT_EQ(log_.count("traffic_quota.rollover_push_failed",
                       {"\"user\":\"alice\",\"client\":\"edge-01\"}"}),
            1U);
}

TEST_F(QuotaClockworkTest, many_quotas_begin_their_periods_in_a_few_transactions) {
  script(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600) "
      "INSERT INTO traffic_quotas (user_id, client_id, client_name, monthly_bytes, "
      "billing_anchor, current_period_started_at, created_at, updated_at) "
      "SELECT 'u' || i, '" +
      kEdge + "', 'edge-01', 100, 1704067200, 1704067200, 0, 0 FROM n");
  restart();
  clock_.advance(std::chrono::hours(24 * 40));
  check_periods();
  EXPECT_EQ(log_.count("traffic_rollover.tick", {"\"advanced\":600}"}), 1U);
  EXPECT_EQ(number("SELECT count(*) FROM traffic_quotas WHERE current_period_started_at = "
                   "1706745600"),
            600);
}

TEST_F(QuotaClockworkTest, OBS_8_of_two_quotas_with_the_same_labels_the_enrolled_clients_is_shown) {
  ASSERT_TRUE(put(100));
  ASSERT_TRUE(put(7, std::nullopt, "alice", "edge-03"));
  ASSERT_TRUE(store_->write_now(
      [&](store::Connection& c) { return store::rename_client(c, kEdge, "edge-03"); }));
  service_->on_client_changed(kEdge, "edge-03");
  EXPECT_EQ(service_->of_user("alice").size(), 2U);
  EXPECT_EQ(numbers().bytes_limit, 100);
  EXPECT_EQ(status("alice", "edge-03")->monthly_bytes, 100);
}

}  // namespace
}  // namespace portunus::server::quotas
