#include "client/agent/owner_terms.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "client/agent/edge_state.hpp"
#include "tests/client/agent/dialogue.hpp"
#include "tests/client/agent/events.hpp"
#include "tests/support/log_capture.hpp"

namespace portunus::client::agent {
namespace {

using log::Event;

/// Through the state that owns the terms, as messages of sessions.
class OwnerTermsTest : public testing::Test {
 protected:
  std::string feed(const v1::ServerMessage& message) {
    const Actions actions = state.on_message(message, now);
    for (const Action& action : actions) {
      if (const auto* set = std::get_if<SetQuota>(&action)) log_applied(*set);
      if (const auto* lifted = std::get_if<RemoveQuota>(&action)) log_applied(*lifted);
    }
    return describe(actions);
  }
  void start_session() {
    state.begin_session();
    ASSERT_EQ(feed(welcome()), "established 3.1.0");
  }

  test::LogCapture log;
  EdgeState state;
  SteadyTime now{};
};

TEST_F(OwnerTermsTest, a_limit_is_set_replaced_and_removed) {
  start_session();
  EXPECT_EQ(feed(owner_limit("alice", 5)), "limit owner alice live=5");
  EXPECT_TRUE(has(log, Event::owner_rate_limit_set,
                  R"("client_name":"edge-01","owner_id":"alice","has_caps":true)"));
  EXPECT_EQ(feed(owner_limit("alice", 6)), "limit owner alice live=6");
  EXPECT_EQ(feed(owner_unlimit("alice")), "limit owner alice none");
  EXPECT_EQ(feed(owner_unlimit("alice")), "limit owner alice none");  // idempotent
  EXPECT_TRUE(
      has(log, Event::owner_rate_limit_remove, R"("client_name":"edge-01","owner_id":"alice")"));
}

TEST_F(OwnerTermsTest, a_set_without_caps_clears) {
  start_session();
  feed(owner_limit("alice", 5));
  EXPECT_EQ(feed(owner_limit("alice", 0)), "limit owner alice none");
  EXPECT_TRUE(has(log, Event::owner_rate_limit_set, R"("owner_id":"alice","has_caps":false)"));
  EXPECT_EQ(feed(replay_complete()), "");
  start_session();
  EXPECT_EQ(feed(replay_complete()), "");  // nothing is left that a replay could leave out
}

TEST_F(OwnerTermsTest, a_quota_is_set_replaced_and_removed) {
  start_session();
  EXPECT_EQ(feed(quota("alice", 600)), "quota alice 600");
  EXPECT_TRUE(has(log, Event::traffic_quota_applied_set,
                  R"("user":"alice","client":"edge-01","monthly_bytes":1000,"remaining":600,)"
                  R"("exhausted":false)"));
  EXPECT_EQ(feed(quota("alice", 5, true)), "quota alice 5 exhausted");
  EXPECT_EQ(feed(unquota("alice")), "unmeter alice");
  EXPECT_EQ(feed(unquota("alice")), "unmeter alice");
  EXPECT_TRUE(
      has(log, Event::traffic_quota_applied_remove, R"("user":"alice","client":"edge-01")"));
}

TEST_F(OwnerTermsTest, QUO_8_what_is_left_is_never_negative_and_nothing_left_is_exhausted) {
  start_session();
  EXPECT_EQ(feed(quota("alice", -42)), "quota alice 0");
  EXPECT_TRUE(has(log, Event::traffic_quota_applied_set, R"("remaining":0,"exhausted":true)"));
  EXPECT_EQ(feed(quota("alice", std::numeric_limits<std::int64_t>::min())), "quota alice 0");
  EXPECT_EQ(feed(quota("alice", std::numeric_limits<std::int64_t>::max())),
            "quota alice 9223372036854775807");
}

TEST_F(OwnerTermsTest, unspecified_actions_are_logged_and_ignored) {
  start_session();
  feed(owner_limit("alice", 5));
  feed(quota("alice", 5));
  for (const int action : {0, 77}) {
    auto limit = owner_limit("alice", 6);
    limit.mutable_owner_rate_limit_update()->set_action(
        static_cast<v1::OwnerRateLimitAction>(action));
    EXPECT_EQ(feed(limit), "");
    auto set = quota("alice", 6);
    set.mutable_traffic_quota_update()->set_action(static_cast<v1::TrafficQuotaAction>(action));
    EXPECT_EQ(feed(set), "");
  }
  EXPECT_EQ(count(log, Event::owner_rate_limit_unspecified_action,
                  R"("client_name":"edge-01","owner_id":"alice")"),
            2U);
  EXPECT_EQ(count(log, Event::traffic_quota_unspecified_action,
                  R"("request_id":"q1","user":"alice","client":"edge-01")"),
            2U);
}

TEST_F(OwnerTermsTest, a_quota_without_its_state_is_logged_and_ignored) {
  start_session();
  auto set = quota("alice", 6);
  set.mutable_traffic_quota_update()->clear_state();
  EXPECT_EQ(feed(set), "");
  EXPECT_TRUE(has(log, Event::traffic_quota_set_without_state,
                  R"("request_id":"q1","user":"alice","client":"edge-01")"));
}

TEST_F(OwnerTermsTest, caps_that_no_operator_could_set_leave_what_was_in_force) {
  start_session();
  feed(owner_limit("alice", 5));
  auto zero = owner_limit("alice", 1);
  zero.mutable_owner_rate_limit_update()->mutable_rate_limit()->set_bandwidth_in_bps(0);
  EXPECT_EQ(feed(zero), "");
  EXPECT_TRUE(has(log, Event::owner_rate_limit_invalid, R"("owner_id":"alice")"));
}

TEST_F(OwnerTermsTest, D7_what_the_replay_leaves_out_ends_with_it) {
  start_session();
  feed(owner_limit("alice", 5));
  feed(owner_limit("bob", 5));
  feed(quota("alice", 5));
  feed(quota("bob", 5));
  EXPECT_EQ(feed(replay_complete()), "");
  start_session();
  EXPECT_EQ(feed(quota("bob", 4)), "quota bob 4");  // overwrites
  EXPECT_EQ(feed(owner_limit("alice", 6)), "limit owner alice live=6");
  EXPECT_EQ(feed(replay_complete()), "limit owner bob none; unmeter alice");
  EXPECT_TRUE(
      has(log, Event::owner_rate_limit_remove, R"("client_name":"edge-01","owner_id":"bob")"));
  EXPECT_TRUE(
      has(log, Event::traffic_quota_applied_remove, R"("user":"alice","client":"edge-01")"));
  EXPECT_EQ(feed(replay_complete()), "");
}

TEST_F(OwnerTermsTest, D7_a_removal_within_the_replay_is_told_once) {
  start_session();
  feed(owner_limit("alice", 5));
  feed(quota("alice", 5));
  start_session();
  EXPECT_EQ(feed(owner_unlimit("alice")), "limit owner alice none");
  EXPECT_EQ(feed(unquota("alice")), "unmeter alice");
  EXPECT_EQ(feed(replay_complete()), "");
}

TEST_F(OwnerTermsTest, D7_a_session_lost_within_the_replay_keeps_limits_and_quotas) {
  start_session();
  feed(owner_limit("alice", 5));
  feed(quota("alice", 5));
  feed(replay_complete());
  for (int i = 0; i < 3; ++i) {
    start_session();
    state.end_session();
    EXPECT_EQ(describe(state.on_time(now + std::chrono::hours(1))), "");
  }
}

TEST_F(OwnerTermsTest, D7_an_old_servers_limits_come_after_the_rules) {
  start_session();
  feed(owner_limit("alice", 5));
  feed(replay_complete());
  start_session();
  const auto rule = push("p1", 7, 8080);
  EXPECT_EQ(feed(rule), "activate 7 8080>10.0.0.1:80");
  EXPECT_EQ(describe(state.on_activated({})), "ACTIVATED 7 p1");
  EXPECT_EQ(feed(owner_limit("alice", 5)), "limit owner alice live=5");
  EXPECT_EQ(describe(state.on_time(now + std::chrono::seconds(10))), "");  // nothing is missing
  EXPECT_FALSE(state.replaying());
  // Later than that is a change like any other.
  EXPECT_EQ(feed(owner_limit("bob", 1)), "limit owner bob live=1");
}

}  // namespace
}  // namespace portunus::client::agent
