#include "server/audit/audit_log.hpp"

#include <algorithm>
#include <thread>

#include "tests/server/audit/audit_fixture.hpp"

// What happens to an entry between the hand-off and the disk (store-and-quotas 5).

namespace portunus::server::audit {
namespace {

using namespace std::chrono_literals;

class AuditLogTest : public AuditFixture {
 protected:
  ~AuditLogTest() override { stop(); }

  void start() {
    log_->start();
    started_ = true;
  }
  void stop() {
    log_->request_stop();
    if (started_) {
      EXPECT_TRUE(io_.run(log_->drain(20s)));
    }
    started_ = false;
  }
  void record(int entries) {
    for (int i = 0; i < entries; ++i) log_->record(entry("/" + std::to_string(next_++)));
  }
  void wait_rows(std::int64_t wanted) {
    io_.run_until([&] { return count() == wanted; });
  }

  std::unique_ptr<AuditLog> log_ = std::make_unique<AuditLog>(io_.executor(), *store_, clock_);

 private:
  bool started_ = false;
  int next_ = 0;
};

/// Holds the database against every other writer.
class Hold {
 public:
  explicit Hold(const std::filesystem::path& path)
      : connection_(path, store::Connection::Access::write, 1000ms) {
    connection_.begin(store::Connection::Access::write);
  }
  ~Hold() { connection_.rollback(); }

 private:
  store::Connection connection_;
};

TEST_F(AuditLogTest, SQ_5_an_entry_is_written_under_the_time_of_its_hand_off) {
  start();
  const SystemTime first = clock_.now();
  log_->record(entry("/one"));
  clock_.advance(7s);
  log_->record(entry("/two"));
  clock_.advance(7s);
  wait_rows(2);
  const auto written = rows();
  EXPECT_EQ(written[0].path, "/two");
  EXPECT_EQ(written[0].at, first + 7s);
  EXPECT_EQ(written[1].path, "/one");
  EXPECT_EQ(written[1].at, first);
  EXPECT_EQ(written[1].actor, "alice");
  EXPECT_EQ(written[1].role, "user");
  EXPECT_EQ(written[1].method, "POST");
  EXPECT_LT(written[1].sequence, written[0].sequence);
  EXPECT_EQ(log_->drops(), 0U);
}

TEST_F(AuditLogTest, SQ_5_a_full_queue_loses_entries_and_counts_them) {
  record(kQueueCapacity);
  EXPECT_EQ(log_->drops(), 0U);
  record(7);
  EXPECT_EQ(log_->drops(), 7U);
  EXPECT_EQ(lines_.count("audit.handoff_overflow", {"\"level\":\"WARN\"", "\"capacity\":1024}"}),
            7U);
  start();
  wait_rows(kQueueCapacity);
  EXPECT_EQ(rows().back().path, "/0");  // what was there first stays
  EXPECT_EQ(rows().front().path, "/1023");
  record(1);
  wait_rows(kQueueCapacity + 1);
  EXPECT_EQ(log_->drops(), 7U);
}

TEST_F(AuditLogTest, OBS_2_lines_about_lost_entries_are_limited_and_the_counter_is_not) {
  record(kQueueCapacity + 50);
  EXPECT_EQ(log_->drops(), 50U);
  EXPECT_EQ(lines_.count("audit.handoff_overflow"), 10U);
  clock_.advance(1s);
  record(1);
  EXPECT_EQ(lines_.count("audit.handoff_overflow", {"\"capacity\":1024,\"suppressed\":40}"}), 1U);
  EXPECT_EQ(log_->drops(), 51U);
}

TEST_F(AuditLogTest, SQ_5_a_batch_has_at_most_256_entries) {
  refuse("INSERT");
  record(600);
  start();
  io_.run_until([&] { return lines_.count("audit.flush_failed") == 3; });
  EXPECT_EQ(lines_.count("audit.flush_failed", {"\"batch_size\":256}"}), 2U);
  EXPECT_EQ(lines_.count("audit.flush_failed", {"\"batch_size\":88}"}), 1U);
  EXPECT_EQ(log_->drops(), 600U);
}

TEST_F(AuditLogTest, SQ_5_a_batch_that_fails_for_good_is_lost_as_a_whole_and_the_next_is_not) {
  script(
      "CREATE TRIGGER refused BEFORE INSERT ON audit WHEN new.path = '/bad' "
      "BEGIN SELECT raise(ABORT, 'no'); END");
  start();
  record(2);
  log_->record(entry("/bad"));
  io_.run_until([&] { return log_->drops() == 3; });
  EXPECT_EQ(lines_.count("audit.flush_failed",
                         {"\"level\":\"ERROR\"", "\"error\":\"constraint", "\"batch_size\":3}"}),
            1U);
  record(1);
  wait_rows(1);
  EXPECT_EQ(log_->drops(), 3U);
}

TEST_F(AuditLogTest, SQ_2_a_full_disk_costs_entries_and_nothing_else) {
  const std::int64_t pages = number("PRAGMA page_count");
  script("PRAGMA max_page_count = " + std::to_string(pages + 2));
  start();
  for (int i = 0; i < 20; ++i) log_->record(entry(std::string(4000, 'x')));
  io_.run_until([&] { return log_->drops() == 20; });
  EXPECT_EQ(count(), 0);
  EXPECT_EQ(lines_.count("audit.flush_failed", {"\"error\":\"store_io"}), 1U);
  script("PRAGMA max_page_count = 100000");
  record(1);
  wait_rows(1);
}

TEST_F(AuditLogTest, SQ_5_a_busy_store_is_asked_again) {
  start();
  {
    const Hold hold(path());
    record(3);
    io_.run_until([&] { return store_->busy_total() >= 4; });  // two per attempt
    clock_.advance(4s);
    const std::uint64_t before = store_->busy_total();
    io_.run_until([&] { return store_->busy_total() >= before + 4; });
    EXPECT_EQ(log_->lag(), 4s);
  }
  wait_rows(3);
  EXPECT_EQ(log_->drops(), 0U);
  EXPECT_EQ(lines_.count("audit.flush_failed"), 0U);
}

TEST_F(AuditLogTest, SQ_5_after_5_s_a_batch_is_given_up) {
  start();
  {
    const Hold hold(path());
    record(3);
    io_.run_until([&] { return store_->busy_total() >= 2; });
    clock_.advance(5s);
    io_.run_until([&] { return log_->drops() == 3; });
    EXPECT_EQ(lines_.count("audit.flush_failed", {"\"error\":\"store_busy", "\"batch_size\":3}"}),
              1U);
  }
  record(2);
  wait_rows(2);
  EXPECT_EQ(log_->drops(), 3U);
}

TEST_F(AuditLogTest, SQ_5_the_lag_is_the_age_of_the_oldest_entry_and_0_when_idle) {
  EXPECT_EQ(log_->lag(), 0s);
  record(1);
  clock_.advance(3s);
  record(1);
  EXPECT_EQ(log_->lag(), 3s);  // before anything is dropped
  EXPECT_EQ(log_->drops(), 0U);
  start();
  wait_rows(2);
  io_.run_until([&] { return log_->lag() == 0s; });
  clock_.advance(3s);
  EXPECT_EQ(log_->lag(), 0s);
}

TEST_F(AuditLogTest, SQ_5_the_stop_drains_the_queue_completely) {
  start();
  record(1000);
  stop();
  EXPECT_EQ(count(), 1000);
  EXPECT_EQ(log_->drops(), 0U);
  EXPECT_EQ(lines_.count("audit.writer_channel_closed", {"\"level\":\"DEBUG\""}), 1U);
  EXPECT_EQ(lines_.count("audit.writer_drained_on_shutdown", {"\"level\":\"DEBUG\""}), 1U);
}

TEST_F(AuditLogTest, what_comes_after_the_end_is_counted_and_said_once) {
  start();
  stop();
  record(2);
  EXPECT_EQ(log_->drops(), 2U);
  EXPECT_EQ(lines_.count("audit.writer_closed", {"\"level\":\"ERROR\""}), 1U);
  EXPECT_EQ(count(), 0);
}

TEST_F(AuditLogTest, SQ_5_a_closed_store_does_not_keep_the_writer) {
  start();
  store_->close();
  record(2);
  stop();
  EXPECT_EQ(log_->drops(), 2U);
}

TEST_F(AuditLogTest, SQ_5_any_thread_hands_over) {
  AuditLog log(io_.executor(), *store_, SystemClock::instance());
  log.start();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&log, t] {
      for (int i = 0; i < 200; ++i) {
        log.record(entry("/" + std::to_string(t) + "/" + std::to_string(i)));
      }
    });
  }
  io_.run_until([&] { return count() >= 100; });
  for (auto& thread : threads) thread.join();
  log.request_stop();
  EXPECT_TRUE(io_.run(log.drain(20s)));
  auto written = paths();
  std::ranges::sort(written);
  EXPECT_EQ(written.size(), 800U);
  EXPECT_EQ(std::ranges::adjacent_find(written), written.end());
  EXPECT_EQ(log.drops(), 0U);
}

}  // namespace
}  // namespace portunus::server::audit
