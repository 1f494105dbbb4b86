#include "server/rules/stats_feed.hpp"

#include "tests/server/rules/rule_fixture.hpp"

// Live reports (http-api 9.2).

namespace portunus::server::rules {
namespace {

using News = StatsSubscription::News;
using namespace std::chrono_literals;

class StatsFeedTest : public testing::Test {
 protected:
  static SharedSnapshot snapshot(std::uint64_t bytes) {
    auto out = std::make_shared<StatsSnapshot>();
    out->numbers.latest.bytes_in = bytes;
    return out;
  }
  News next(StatsSubscription& subscription, std::chrono::milliseconds patience = 10s) {
    return io_.run(subscription.next(patience));
  }
  /// The bytes of the snapshot that is next; 0 for anything else.
  std::uint64_t next_bytes(StatsSubscription& subscription) {
    const News news = next(subscription);
    EXPECT_EQ(news.kind, News::Kind::snapshot);
    return news.snapshot ? news.snapshot->numbers.latest.bytes_in : 0;
  }

  test::TestIo io_;
  test::LogCapture log_;
  StatsFeed feed_{io_.executor()};
  const RuleId rule_{7};
};

TEST_F(StatsFeedTest, HTTP_9_2_every_watcher_sees_every_snapshot_from_the_first_on) {
  EXPECT_FALSE(feed_.watched(rule_));
  const auto one = feed_.subscribe(rule_, snapshot(1));
  EXPECT_TRUE(feed_.watched(rule_));
  EXPECT_FALSE(feed_.watched(RuleId{8}));
  const auto two = feed_.subscribe(rule_, nullptr);
  feed_.publish(rule_, snapshot(2));
  feed_.publish(RuleId{8}, snapshot(99));
  feed_.publish(rule_, snapshot(3));
  EXPECT_EQ(next_bytes(*one), 1U);
  EXPECT_EQ(next_bytes(*one), 2U);
  EXPECT_EQ(next_bytes(*one), 3U);
  EXPECT_EQ(next_bytes(*two), 2U);
  EXPECT_EQ(next_bytes(*two), 3U);
  EXPECT_EQ(next(*two, 1ms).kind, News::Kind::silence);
}

TEST_F(StatsFeedTest, a_snapshot_wakes_who_waits) {
  const auto one = feed_.subscribe(rule_, nullptr);
  const auto pending = io_.start(one->next(1h));
  io_.poll();
  EXPECT_FALSE(pending->has_value());
  feed_.publish(rule_, snapshot(5));
  io_.run_until([&] { return pending->has_value(); });
  EXPECT_EQ((*pending)->kind, News::Kind::snapshot);
}

TEST_F(StatsFeedTest, HTTP_9_2_a_slow_watcher_loses_the_oldest_and_delays_nobody) {
  const auto slow = feed_.subscribe(rule_, nullptr);
  const auto quick = feed_.subscribe(rule_, nullptr);
  for (std::uint64_t i = 1; i <= 20; ++i) {
    feed_.publish(rule_, snapshot(i));
    EXPECT_EQ(next_bytes(*quick), i);
  }
  EXPECT_EQ(log_.count("stats_stream.lagged", {"\"level\":\"WARN\"", "rule 7"}), 1U);
  for (std::uint64_t i = 5; i <= 20; ++i) EXPECT_EQ(next_bytes(*slow), i);
  EXPECT_EQ(next(*slow, 1ms).kind, News::Kind::silence);
  // It has caught up: the next time is told again.
  for (std::uint64_t i = 0; i < 17; ++i) {
    feed_.publish(rule_, snapshot(i));
    EXPECT_EQ(next_bytes(*quick), i);
  }
  EXPECT_EQ(log_.count("stats_stream.lagged"), 2U);
}

TEST_F(StatsFeedTest, HTTP_9_2_exactly_sixteen_wait) {
  const auto one = feed_.subscribe(rule_, nullptr);
  for (std::uint64_t i = 1; i <= 16; ++i) feed_.publish(rule_, snapshot(i));
  EXPECT_EQ(log_.count("stats_stream.lagged"), 0U);
  for (std::uint64_t i = 1; i <= 16; ++i) EXPECT_EQ(next_bytes(*one), i);
}

TEST_F(StatsFeedTest, HTTP_9_2_the_end_comes_after_what_waits) {
  const auto one = feed_.subscribe(rule_, snapshot(1));
  const auto other = feed_.subscribe(RuleId{8}, nullptr);
  feed_.end(rule_);
  EXPECT_FALSE(feed_.watched(rule_));
  EXPECT_EQ(next_bytes(*one), 1U);
  EXPECT_EQ(next(*one).kind, News::Kind::end);
  EXPECT_EQ(next(*one).kind, News::Kind::end);
  EXPECT_EQ(next(*other, 1ms).kind, News::Kind::silence);
}

TEST_F(StatsFeedTest, the_end_wakes_who_waits) {
  const auto one = feed_.subscribe(rule_, nullptr);
  const auto pending = io_.start(one->next(1h));
  io_.poll();
  feed_.end(rule_);
  io_.run_until([&] { return pending->has_value(); });
  EXPECT_EQ((*pending)->kind, News::Kind::end);
}

TEST_F(StatsFeedTest, a_closed_subscription_drops_what_waits) {
  const auto one = feed_.subscribe(rule_, snapshot(1));
  one->close();
  one->close();
  EXPECT_EQ(next(*one).kind, News::Kind::end);
  feed_.publish(rule_, snapshot(2));
  EXPECT_EQ(next(*one).kind, News::Kind::end);
}

TEST_F(StatsFeedTest, a_watcher_that_is_gone_is_forgotten) {
  auto one = feed_.subscribe(rule_, nullptr);
  one.reset();
  feed_.publish(rule_, snapshot(1));
  EXPECT_FALSE(feed_.watched(rule_));
}

TEST_F(StatsFeedTest, after_the_end_of_all_nothing_begins) {
  const auto one = feed_.subscribe(rule_, nullptr);
  feed_.end_all();
  EXPECT_EQ(next(*one).kind, News::Kind::end);
  const auto late = feed_.subscribe(rule_, snapshot(1));
  EXPECT_FALSE(feed_.watched(rule_));
  EXPECT_EQ(next_bytes(*late), 1U);
  EXPECT_EQ(next(*late).kind, News::Kind::end);
}

/// The service feeds it.
class RuleWatchTest : public RuleFixture {
 protected:
  void report(RuleId rule, std::uint64_t in, const std::string& client = kEdge) {
    model::RuleTraffic entry;
    entry.rule = rule;
    entry.bytes_in = in;
    entry.ports.push_back({.listen_port = 18080, .bytes_in = in});
    RuleFixture::report({{entry}, {}, {}}, client);
  }
  News next(StatsSubscription& subscription, std::chrono::milliseconds patience = 10s) {
    return io_.run(subscription.next(patience));
  }
};

TEST_F(RuleWatchTest, HTTP_9_2_one_snapshot_per_report_beginning_with_the_last) {
  const RuleId id = activate().spec.id;
  const auto early = service_->watch(root_, id).value();  // no report yet is no error
  report(id, 100);
  clock_.advance(5s);
  report(id, 250);
  const auto late = service_->watch(root_, id).value();
  report(id, 250, kOther);  // another edge's word about it counts for nothing

  News news = next(*early);
  EXPECT_EQ(news.snapshot->numbers.latest.bytes_in, 100U);
  EXPECT_EQ(next(*early).snapshot->numbers.latest.bytes_in, 250U);
  EXPECT_EQ(next(*early, 1ms).kind, News::Kind::silence);
  news = next(*late);
  EXPECT_EQ(news.snapshot->numbers.latest.bytes_in, 250U);
  EXPECT_EQ(news.snapshot->numbers.updated_at, clock_.now());
  EXPECT_EQ(news.snapshot->row.client_name, "edge-01");
  EXPECT_EQ(next(*late, 1ms).kind, News::Kind::silence);
}

TEST_F(RuleWatchTest, HTTP_9_2_who_may_watch_is_asked_once) {
  const RuleId id = activate().spec.id;
  EXPECT_EQ(service_->watch({"alice", false}, id).error(), Errc::not_owner);
  EXPECT_EQ(service_->watch(root_, RuleId{99}).error(), Errc::rule_not_found);
  EXPECT_TRUE(service_->watch({"root", false}, id));
}

TEST_F(RuleWatchTest, HTTP_9_2_a_removed_rule_ends_its_streams) {
  const RuleId id = activate().spec.id;
  const RuleId other = activate(18081).spec.id;
  const auto watched = service_->watch(root_, id).value();
  const auto still = service_->watch(root_, other).value();
  ASSERT_TRUE(io_.run(service_->remove(root_, id)));
  EXPECT_EQ(next(*watched).kind, News::Kind::end);
  EXPECT_EQ(next(*still, 1ms).kind, News::Kind::silence);
}

TEST_F(RuleWatchTest, a_lost_session_ends_no_stream) {
  const RuleId id = activate().spec.id;
  const auto watched = service_->watch(root_, id).value();
  service_->end_session(kEdge);
  begin_session(kEdge);
  report(id, 5);
  EXPECT_EQ(next(*watched).snapshot->numbers.latest.bytes_in, 5U);
}

TEST_F(RuleWatchTest, stopping_ends_all_streams) {
  const auto watched = service_->watch(root_, activate().spec.id).value();
  service_->request_stop();
  EXPECT_EQ(next(*watched).kind, News::Kind::end);
}

}  // namespace
}  // namespace portunus::server::rules
