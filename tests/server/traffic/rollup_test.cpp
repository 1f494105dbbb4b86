#include "server/traffic/rollup.hpp"

#include <limits>
#include <random>
#include <tuple>

#include "tests/server/traffic/traffic_fixture.hpp"

// From minutes to hours and their end (store-and-quotas 7, 8.6).

namespace portunus::server::traffic {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

class RollupTest : public TrafficFixture {
 protected:
  RollupTest() { make(); }
  ~RollupTest() override { end(); }

  void make() { rollup_ = std::make_unique<Rollup>(io_.executor(), *store_, clock_); }
  void end() {
    if (!rollup_) return;
    rollup_->request_stop();
    EXPECT_TRUE(io_.run(rollup_->drain(std::chrono::seconds(5))));
    rollup_.reset();
  }
  /// As a server restart does it.
  void restart() {
    end();
    store_.reset();
    open();
    make();
  }
  void tick() {
    auto run = [](Rollup& rollup) -> async::Task<bool> {
      co_await rollup.tick();
      co_return true;
    };
    io_.run(run(*rollup_));
  }
  void tick_at(std::int64_t when) {
    set_clock(when);
    tick();
  }
  void set_mark(std::int64_t hour) {
    script("UPDATE traffic_rollup_mark SET last_hour = " + std::to_string(hour));
  }
  std::int64_t mark() { return number("SELECT last_hour FROM traffic_rollup_mark"); }
  /// The sums of the minutes that are there, by hours counted out one by one: no arithmetic of the
  /// code under test. Only hours that are over at `until`.
  Rows expected_hours(std::int64_t from, std::int64_t until) {
    Rows out;
    const Rows minutes = rows("traffic_samples_1m");
    for (std::int64_t hour = from; hour + 3600 <= until; hour += 3600) {
      for (const auto& [key, bytes] : minutes) {
        const auto& [user, client, start] = key;
        if (start < hour || start >= hour + 3600) continue;
        auto& sum = out[{user, client, hour}];
        sum.first += bytes.first;
        sum.second += bytes.second;
      }
    }
    return out;
  }
  std::size_t ticks(std::vector<std::string> parts = {}) {
    return log_.count("traffic_rollup.tick", std::move(parts));
  }

  std::unique_ptr<Rollup> rollup_;
};

TEST_F(RollupTest, SQ_7_an_hour_is_rolled_up_one_minute_after_its_end) {
  set_mark(kNight - kHour);
  book(kNight + 10, 1, 2);
  book(kNight + 59 * kMinute, 10, 20);
  tick_at(kNight + kHour + 59);
  EXPECT_TRUE(rows("traffic_samples_1h").empty());
  tick_at(kNight + kHour + 60);
  EXPECT_EQ(rows("traffic_samples_1h"), (Rows{{{"alice", "edge-01", kNight}, {11, 22}}}));
  EXPECT_EQ(mark(), kNight);
  EXPECT_EQ(rows("traffic_samples_1m").size(), 2U);
  EXPECT_EQ(ticks({"\"level\":\"INFO\"", "\"rolled_up\":1,\"deleted_1m\":0,\"deleted_1h\":0}"}),
            1U);
}

TEST_F(RollupTest, SQ_7_mark_zero_starts_with_the_previous_hour) {
  book(kNight - 2 * kHour, 1, 1);
  book(kNight - kHour, 2, 2);
  book(kNight, 4, 4);
  ASSERT_EQ(mark(), 0);
  tick_at(kNight + 60);
  EXPECT_EQ(mark(), kNight - kHour);
  EXPECT_EQ(rows("traffic_samples_1h"), (Rows{{{"alice", "edge-01", kNight - kHour}, {2, 2}}}));
}

TEST_F(RollupTest, SQ_8_6_gaps_of_0_1_and_200_hours_are_made_up_for) {
  set_mark(kNight - kHour);
  std::mt19937_64 random(20260329);
  for (const std::int64_t gap : {0, 1, 200}) {
    const std::int64_t from = mark() + kHour;
    const std::int64_t now = from + kHour + gap * kHour;
    for (int i = 0; i < 400; ++i) {
      const auto when = from + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(
                                                                        now + 30 * kMinute - from));
      const std::string user = i % 3 == 0 ? "bob" : "alice";
      set_clock(when);
      book(when, random() % 1'000'000, random() % 1'000'000, user, i % 2 == 0 ? kEdge : kOther);
    }
    Rows expected = rows("traffic_samples_1h");
    expected.merge(expected_hours(from, now));
    restart();
    tick_at(now + 30 * kMinute);
    EXPECT_EQ(rows("traffic_samples_1h"), expected) << gap;
    EXPECT_EQ(mark(), now - kHour) << gap;
    EXPECT_EQ(ticks({"\"rolled_up\":" + std::to_string(gap + 1) + ","}), 1U) << gap;
    script("DELETE FROM traffic_samples_1m");
  }
}

TEST_F(RollupTest, SQ_7_a_repeated_hour_gives_the_same_rows) {
  set_mark(kNight - kHour);
  for (int minute = 0; minute < 60; ++minute) book(kNight + minute * kMinute, 7, 11);
  tick_at(kNight + kHour + 60);
  const Rows once = rows("traffic_samples_1h");
  EXPECT_EQ(once, (Rows{{{"alice", "edge-01", kNight}, {420, 660}}}));
  tick();
  EXPECT_EQ(rows("traffic_samples_1h"), once);
  // As if the server had ended between an hour's rows and its mark: that cannot be, but repeats.
  script("UPDATE traffic_rollup_mark SET last_hour = last_hour - 3600");
  tick();
  EXPECT_EQ(rows("traffic_samples_1h"), once);
  EXPECT_EQ(mark(), kNight);
}

TEST_F(RollupTest, SQ_7_an_hour_and_its_mark_are_one_transaction) {
  set_mark(kNight - kHour);
  for (int hour = 0; hour < 5; ++hour) book(kNight + hour * kHour, 1, 1);
  script("CREATE TRIGGER third BEFORE INSERT ON traffic_samples_1h WHEN new.start = " +
         std::to_string(kNight + 2 * kHour) + " BEGIN SELECT raise(ABORT, 'no'); END");
  tick_at(kNight + 5 * kHour + 60);
  EXPECT_EQ(log_.count("traffic_rollup.tick_failed", {"\"level\":\"ERROR\"", "\"error\":"}), 1U);
  EXPECT_EQ(mark(), kNight + kHour);
  EXPECT_EQ(rows("traffic_samples_1h").size(), 2U);
  restart();
  script("DROP TRIGGER third");
  tick();
  EXPECT_EQ(mark(), kNight + 4 * kHour);
  EXPECT_EQ(rows("traffic_samples_1h"), expected_hours(kNight, kNight + 5 * kHour));
}

TEST_F(RollupTest, SQ_7_hours_are_utc_through_a_change_of_daylight_saving) {
  ASSERT_EQ(setenv("TZ", "Europe/Berlin", 1), 0);
  tzset();
  set_mark(kNight - kHour);
  for (int hour = 0; hour < 24; ++hour) book(kNight + hour * kHour + 30 * kMinute, 1, 0);
  tick_at(kNight + kDay + 60);
  const Rows hours = rows("traffic_samples_1h");
  EXPECT_EQ(hours.size(), 24U);
  for (const auto& [key, bytes] : hours) {
    EXPECT_EQ((std::get<2>(key) - kNight) % 3600, 0);
    EXPECT_EQ(bytes.first, 1);
  }
  unsetenv("TZ");
  tzset();
}

TEST_F(RollupTest, SQ_7_a_minute_booked_after_its_hour_counts_for_the_hour) {
  set_mark(kNight - kHour);
  book(kNight + 5 * kMinute, 1, 2);
  tick_at(kNight + kHour + 60);
  book(kNight + 5 * kMinute, 10, 20);  // the store had refused it
  book(kNight + 6 * kMinute, 100, 200, "bob");
  EXPECT_EQ(rows("traffic_samples_1h"), expected_hours(kNight, kNight + kHour));
  script("UPDATE traffic_rollup_mark SET last_hour = last_hour - 3600");
  const Rows once = rows("traffic_samples_1h");
  tick();
  EXPECT_EQ(rows("traffic_samples_1h"), once);
  book(kNight + kHour, 5, 5);  // not rolled up yet
  EXPECT_EQ(rows("traffic_samples_1h"), once);
}

TEST_F(RollupTest, sums_stay_at_the_greatest_number) {
  set_mark(kNight - kHour);
  book(kNight, static_cast<std::uint64_t>(kMost), 1);
  book(kNight + kMinute, static_cast<std::uint64_t>(kMost), 1);
  tick_at(kNight + kHour + 60);
  EXPECT_EQ(rows("traffic_samples_1h"), (Rows{{{"alice", "edge-01", kNight}, {kMost, 2}}}));
}

TEST_F(RollupTest, SQ_7_samples_expire_at_their_retention_and_not_before) {
  const std::int64_t now = kNight + 60;
  set_clock(now);
  book(now - 604'800 - kMinute, 1, 1);
  book(now - 604'800, 2, 2);
  set_mark(kNight - kHour);
  script("INSERT INTO traffic_samples_1h SELECT series_id, " + std::to_string(kNight - 7'776'000) +
         ", 3, 3 FROM traffic_series");
  script("INSERT INTO traffic_samples_1h SELECT series_id, " +
         std::to_string(kNight - 7'776'000 + 3600) + ", 4, 4 FROM traffic_series");
  tick();
  EXPECT_EQ(rows("traffic_samples_1m"), (Rows{{{"alice", "edge-01", now - 604'800}, {2, 2}}}));
  EXPECT_EQ(rows("traffic_samples_1h"),
            (Rows{{{"alice", "edge-01", kNight - 7'776'000 + 3600}, {4, 4}}}));
  EXPECT_EQ(ticks({"\"rolled_up\":0,\"deleted_1m\":1,\"deleted_1h\":1}"}), 1U);
}

TEST_F(RollupTest, SQ_7_a_minute_stays_until_its_hour_is_rolled_up) {
  set_mark(kNight - 91 * kDay);
  book(kNight, 1, 1);
  tick_at(kNight + 8 * kDay + 60);  // comes as far as the day before
  ASSERT_EQ(mark(), kNight - kDay);
  EXPECT_EQ(rows("traffic_samples_1m").size(), 1U);
  tick();
  EXPECT_TRUE(rows("traffic_samples_1m").empty());
  EXPECT_EQ(rows("traffic_samples_1h"), (Rows{{{"alice", "edge-01", kNight}, {1, 1}}}));
}

TEST_F(RollupTest, SQ_7_one_tick_makes_up_for_90_days_at_most) {
  set_mark(kNight - kHour);
  const std::int64_t later = kNight + 100 * kDay;
  tick_at(later + 60);
  EXPECT_EQ(mark(), kNight + 90 * kDay - kHour);
  EXPECT_EQ(ticks({"\"rolled_up\":2160,"}), 1U);
  tick_at(later + 60);
  EXPECT_EQ(mark(), later - kHour);
}

TEST_F(RollupTest, many_samples_expire_over_several_transactions) {
  set_clock(kNight);
  book(kNight, 0, 1);
  script(
      "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 9999) "
      "INSERT INTO traffic_samples_1m SELECT 1, " +
      std::to_string(kNight - 10 * kDay) + " - i * 60, 1, 1 FROM n");
  set_mark(kNight - 2 * kHour);
  tick_at(kNight + 60);
  EXPECT_EQ(ticks({"\"deleted_1m\":10000,"}), 1U);
  EXPECT_EQ(number("SELECT count(*) FROM traffic_samples_1m"), 1);
  EXPECT_EQ(number("SELECT count(*) FROM traffic_series"), 1);
}

TEST_F(RollupTest, series_without_samples_end) {
  set_mark(kNight - kHour);
  book(kNight, 1, 1);
  book(kNight + 80 * kDay, 1, 1, "bob");
  tick_at(kNight + 91 * kDay + 2 * kHour);
  tick();
  EXPECT_EQ(number("SELECT count(*) FROM traffic_series"), 1);
  EXPECT_EQ(number("SELECT count(*) FROM traffic_series WHERE user_id = 'bob'"), 1);
}

TEST_F(RollupTest, SQ_7_the_clockwork_catches_up_at_its_start_and_ticks_once_an_hour) {
  set_mark(kNight - 4 * kHour);
  set_clock(kNight + 10);
  rollup_->start(std::chrono::milliseconds(1));
  io_.run_until([&] { return ticks({"\"rolled_up\":2,"}) == 1; });
  EXPECT_EQ(mark(), kNight - 2 * kHour);  // the last hour has been over for ten seconds
  clock_.advance(std::chrono::seconds(50));
  io_.run_until([&] { return ticks({"\"rolled_up\":1,"}) == 1; });
  clock_.advance(std::chrono::seconds(3599));
  for (int i = 0; i < 20; ++i) io_.poll();
  EXPECT_EQ(ticks(), 2U);
  clock_.advance(std::chrono::seconds(1));
  io_.run_until([&] { return ticks({"\"rolled_up\":1,"}) == 2; });
  EXPECT_EQ(mark(), kNight);
}

TEST_F(RollupTest, a_start_that_has_missed_nothing_says_nothing) {
  set_clock(kNight + 60);
  rollup_->start(std::chrono::milliseconds(1));
  io_.run_until([&] { return mark() == kNight - kHour; });
  end();
  make();
  rollup_->start(std::chrono::milliseconds(1));
  clock_.advance(std::chrono::hours(1));
  io_.run_until([&] { return mark() == kNight; });
  io_.run_until([&] { return ticks() == 1; });
}

TEST_F(RollupTest, SQ_7_what_the_store_refuses_is_tried_again) {
  set_mark(kNight - kHour);
  book(kNight, 1, 1);
  script(
      "CREATE TRIGGER never BEFORE UPDATE ON traffic_rollup_mark "
      "BEGIN SELECT raise(ABORT, 'no'); END");
  set_clock(kNight + kHour + 60);
  rollup_->start(std::chrono::milliseconds(1));
  io_.run_until([&] { return log_.count("traffic_rollup.tick_failed") == 1; });
  script("DROP TRIGGER never");
  clock_.advance(std::chrono::seconds(60));
  io_.run_until([&] { return mark() == kNight; });
  EXPECT_EQ(log_.count("traffic_rollup.tick_failed"), 1U);
}

TEST_F(RollupTest, a_clock_that_goes_back_loses_nothing) {
  set_mark(kNight - kHour);
  book(kNight + 10 * kMinute, 1, 0);
  tick_at(kNight + kHour + 60);
  set_clock(kNight + 20 * kMinute);  // an hour that is rolled up already
  book(kNight + 20 * kMinute, 10, 0);
  tick();
  tick_at(kNight + 2 * kHour + 60);
  EXPECT_EQ(rows("traffic_samples_1h"), (Rows{{{"alice", "edge-01", kNight}, {11, 0}}}));
}

TEST_F(RollupTest, a_stop_ends_a_long_catch_up_between_two_hours) {
  set_mark(kNight - 2000 * kHour);
  set_clock(kNight + 60);
  rollup_->start(std::chrono::milliseconds(1));
  io_.run_until([&] { return mark() > kNight - 2000 * kHour; });
  end();
  EXPECT_EQ((mark() - kNight) % kHour, 0);
  make();
  tick();
  EXPECT_EQ(mark(), kNight - kHour);
}

}  // namespace
}  // namespace portunus::server::traffic
