#include "server/audit/retention.hpp"

#include "tests/server/audit/audit_fixture.hpp"

// What the hourly sweep removes (http-api 16, store-and-quotas 5).

namespace portunus::server::audit {
namespace {

using namespace std::chrono_literals;

class RetentionTest : public AuditFixture {
 protected:
  ~RetentionTest() override {
    retention_.request_stop();
    EXPECT_TRUE(io_.run(retention_.drain(20s)));
  }
  void sweep() {
    auto done = [](Retention& retention) -> async::Task<bool> {
      co_await retention.sweep();
      co_return true;
    };
    io_.run(done(retention_));
  }
  /// Entries of the present, one microsecond apart, the oldest first.
  void fill(std::int64_t entries) {
    script("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " +
           std::to_string(entries) +
           ") INSERT INTO audit (at, actor, method, path, outcome) SELECT " +
           std::to_string(to_unix_micros(clock_.now())) + " + i, 'a', 'POST', i, 'allow' FROM n");
  }

  Retention retention_{io_.executor(), *store_, clock_};
};

TEST_F(RetentionTest, SQ_5_entries_older_than_90_days_go) {
  const SystemTime limit = clock_.now() - 24h * 90;
  insert({entry_at(limit - 1us, "older"), entry_at(limit, "just 90 days"),
          entry_at(clock_.now(), "new")});
  sweep();
  EXPECT_EQ(paths(), (std::vector<std::string>{"new", "just 90 days"}));
  EXPECT_EQ(lines_.count("audit_retention.sweep",
                         {"\"level\":\"INFO\"", "\"deleted_by_age\":1,\"deleted_by_count\":0}"}),
            1U);
  clock_.advance(1us);
  sweep();
  EXPECT_EQ(paths(), (std::vector<std::string>{"new"}));
}

TEST_F(RetentionTest, SQ_5_the_newest_50000_stay) {
  fill(50'003);
  // Written last, and yet the oldest.
  insert({entry_at(clock_.now() - 1h, "late")});
  sweep();
  EXPECT_EQ(count(), 50'000);
  EXPECT_EQ(number("SELECT count(*) FROM audit WHERE path IN ('late', '1', '2', '3')"), 0);
  EXPECT_EQ(number("SELECT count(*) FROM audit WHERE path = '4'"), 1);
  EXPECT_EQ(lines_.count("audit_retention.sweep", {"\"deleted_by_age\":0,\"deleted_by_count\":4}"}),
            1U);
}

TEST_F(RetentionTest, a_long_sweep_takes_several_transactions) {
  fill(2500);
  clock_.advance(24h * 91);
  fill(3);
  sweep();
  EXPECT_EQ(count(), 3);
  EXPECT_EQ(
      lines_.count("audit_retention.sweep", {"\"deleted_by_age\":2500,\"deleted_by_count\":0}"}),
      1U);
}

TEST_F(RetentionTest, OBS_2_nothing_to_remove_is_no_line) {
  fill(3);
  sweep();
  EXPECT_EQ(count(), 3);
  EXPECT_EQ(lines_.count("audit_retention.sweep"), 0U);
}

TEST_F(RetentionTest, OBS_2_a_sweep_that_fails_says_so_and_the_next_one_makes_up_for_it) {
  fill(2);
  clock_.advance(24h * 91);
  refuse("DELETE");
  sweep();
  EXPECT_EQ(count(), 2);
  EXPECT_EQ(lines_.count("audit_retention.sweep_failed", {"\"level\":\"ERROR\"", "constraint"}),
            1U);
  refuse_no_more();
  sweep();
  EXPECT_EQ(count(), 0);
}

TEST_F(RetentionTest, SQ_5_sweeps_at_the_start_and_once_per_interval) {
  fill(1);
  clock_.advance(24h * 91);
  retention_.start(5ms);
  io_.run_until([&] { return count() == 0; });
  clock_.advance(-24h * 91);
  fill(1);
  clock_.advance(24h * 91);
  io_.run_until([&] { return count() == 0; });
}

TEST_F(RetentionTest, SQ_5_the_interval_is_an_hour) {
  EXPECT_EQ(Retention::kInterval, 1h);
  retention_.start();
  io_.poll();
  retention_.request_stop();
  EXPECT_TRUE(io_.run(retention_.drain(20s)));
}

}  // namespace
}  // namespace portunus::server::audit
