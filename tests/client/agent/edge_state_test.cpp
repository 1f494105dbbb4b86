#include "client/agent/edge_state.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "tests/client/agent/events.hpp"
#include "tests/support/log_capture.hpp"

namespace portunus::client::agent {
namespace {

using log::Event;
using std::chrono::seconds;
using test::LogCapture;

constexpr seconds kQuiet{10};

/// One line per action, so that a dialogue reads as text.
std::string describe(const Action& action) {
  if (const auto* a = std::get_if<Established>(&action)) {
    return "established " + a->welcome.server_version();
  }
  if (const auto* a = std::get_if<Activate>(&action)) {
    return "activate " + std::to_string(a->rule.id.value) + " " +
           std::to_string(a->rule.listen_port) + ">" + a->rule.target.text();
  }
  if (const auto* a = std::get_if<Remove>(&action)) {
    return std::string(a->replaced ? "replace " : "remove ") + std::to_string(a->id.value) + " #" +
           std::to_string(a->ticket);
  }
  if (const auto* a = std::get_if<SendStatus>(&action)) {
    const auto& s = a->status;
    return v1::ActivationOutcome_Name(s.outcome()) + " " + std::to_string(s.rule_id()) + " " +
           s.request_id() + (s.reason().empty() ? "" : " " + s.reason());
  }
  return "give up: " + std::get<GiveUp>(action).error;
}

std::string describe(const Actions& actions) {
  std::string out;
  for (const Action& action : actions) out += (out.empty() ? "" : "; ") + describe(action);
  return out;
}

v1::ServerMessage welcome() {
  v1::ServerMessage message;
  message.mutable_welcome()->set_server_version("3.1.0");
  return message;
}

v1::ServerMessage push(std::string_view request, std::uint64_t id, std::uint32_t port,
                       std::string_view host = "10.0.0.1") {
  v1::ServerMessage message;
  auto& update = *message.mutable_rule_update();
  update.set_request_id(std::string(request));
  update.set_action(v1::PUSH);
  update.mutable_rule()->set_rule_id(id);
  update.mutable_rule()->set_listen_port(port);
  update.mutable_rule()->set_target_host(std::string(host));
  update.mutable_rule()->set_target_port(80);
  return message;
}

v1::ServerMessage remove(std::string_view request, std::uint64_t id) {
  v1::ServerMessage message;
  message.mutable_rule_update()->set_request_id(std::string(request));
  message.mutable_rule_update()->set_action(v1::REMOVE);
  message.mutable_rule_update()->mutable_rule()->set_rule_id(id);
  return message;
}

v1::ServerMessage replay_complete() {
  v1::ServerMessage message;
  message.mutable_replay_complete();
  return message;
}

/// Drives a state as the applier does: every Activate is answered at once.
class EdgeStateTest : public testing::Test {
 protected:
  /// The actions of one message, those after its activation included.
  std::string feed(const v1::ServerMessage& message) {
    return finish(state.on_message(message, now));
  }
  std::string finish(Actions actions) {
    std::string out = describe(actions);
    for (const Action& action : actions) {
      if (!std::holds_alternative<Activate>(action)) continue;
      const auto result = std::exchange(next_result, {});
      out += "; " + describe(state.on_activated(result));
    }
    return out;
  }
  void start_session() {
    state.begin_session();
    ASSERT_EQ(feed(welcome()), "established 3.1.0");
  }
  std::string removed(std::uint64_t ticket) { return describe(state.on_removed(ticket)); }

  LogCapture log;
  EdgeState state{kQuiet};
  SteadyTime now{};
  std::expected<void, std::string> next_result;
};

TEST_F(EdgeStateTest, anything_but_a_welcome_first_ends_the_attempt) {
  for (const auto& message : {push("r", 1, 80), replay_complete(), v1::ServerMessage{}}) {
    state.begin_session();
    EXPECT_EQ(feed(message), "give up: welcome_missing");
    EXPECT_FALSE(state.established());
    EXPECT_FALSE(state.deadline());
  }
}

TEST_F(EdgeStateTest, LIFE_1_a_push_has_one_answer_a_removal_another) {
  start_session();
  EXPECT_EQ(feed(push("p1", 7, 8080)), "activate 7 8080>10.0.0.1:80; ACTIVATED 7 p1");
  EXPECT_TRUE(has(log, Event::rule_received,
                  R"("rule_id":"7","request_id":"p1","listen_port":8080,)"
                  R"("listen_port_end":8080,"protocol":"tcp")"));
  EXPECT_EQ(feed(remove("d1", 7)), "remove 7 #1");
  EXPECT_EQ(state.live(), 0U);
  EXPECT_EQ(state.draining(), 1U);
  EXPECT_EQ(removed(1), "REMOVED 7 d1");
  EXPECT_EQ(state.draining(), 0U);
}

TEST_F(EdgeStateTest, LIFE_1_a_failed_activation_is_followed_by_nothing) {
  start_session();
  next_result = std::unexpected("port_in_use");
  EXPECT_EQ(feed(push("p1", 7, 8080)), "activate 7 8080>10.0.0.1:80; FAILED 7 p1 port_in_use");
  EXPECT_EQ(state.live(), 0U);
  EXPECT_EQ(feed(remove("d1", 7)), "");
  EXPECT_TRUE(has(log, Event::rule_remove_unknown, R"("request_id":"d1","rule_id":"7")"));
}

TEST_F(EdgeStateTest, updates_without_a_rule_or_an_action_are_logged_and_ignored) {
  start_session();
  auto missing = push("p1", 7, 80);
  missing.mutable_rule_update()->clear_rule();
  EXPECT_EQ(feed(missing), "");
  EXPECT_TRUE(has(log, Event::rule_update_missing_rule, R"("request_id":"p1")"));
  for (const int action : {0, 77}) {
    auto odd = push("p2", 7, 80);
    odd.mutable_rule_update()->set_action(static_cast<v1::RuleAction>(action));
    EXPECT_EQ(feed(odd), "");
  }
  EXPECT_EQ(count(log, Event::rule_update_unspecified_action), 2U);
}

TEST_F(EdgeStateTest, unknown_payloads_and_those_of_later_features_are_skipped) {
  start_session();
  EXPECT_EQ(feed(v1::ServerMessage{}), "");
  EXPECT_EQ(feed(welcome()), "");
  v1::ServerMessage quota;
  quota.mutable_traffic_quota_update()->set_user_id("alice");
  EXPECT_EQ(feed(quota), "");
  v1::ServerMessage limit;
  limit.mutable_owner_rate_limit_update()->set_owner_id("alice");
  EXPECT_EQ(feed(limit), "");
}

TEST_F(EdgeStateTest, refused_rules_are_answered_and_logged_by_kind) {
  start_session();
  EXPECT_EQ(feed(push("p1", 1, 0)), "FAILED 1 p1 range_invalid");
  EXPECT_TRUE(has(log, Event::rule_push_invalid_range, R"("request_id":"p1","rule_id":"1")"));
  EXPECT_EQ(feed(push("p2", 2, 80, "a_b")), "FAILED 2 p2 invalid_target_host");
  EXPECT_TRUE(has(log, Event::rule_push_invalid_target, R"("target_index":0)"));
  auto udp = push("p3", 3, 53);
  udp.mutable_rule_update()->mutable_rule()->set_protocol(v1::UDP);
  EXPECT_EQ(feed(udp), "FAILED 3 p3 unsupported_protocol");
  EXPECT_TRUE(has(log, Event::rule_failed, R"("reason":"unsupported_protocol")"));
}

TEST_F(EdgeStateTest, rule_id_0_and_an_empty_request_id_are_legal) {
  start_session();
  EXPECT_EQ(feed(push("", 0, 80)), "activate 0 80>10.0.0.1:80; ACTIVATED 0 ");
  EXPECT_EQ(feed(remove("", 0)), "remove 0 #1");
  EXPECT_EQ(removed(1), "REMOVED 0 ");
}

TEST_F(EdgeStateTest, LIFE_4_a_push_that_changes_nothing_touches_nothing) {
  start_session();
  feed(push("p1", 7, 8080));
  feed(replay_complete());
  EXPECT_EQ(feed(push("p2", 7, 8080)), "ACTIVATED 7 p2");
  auto owner = push("p3", 7, 8080);
  owner.mutable_rule_update()->mutable_rule()->set_owner_id("bob");
  EXPECT_EQ(feed(owner), "ACTIVATED 7 p3");
}

TEST_F(EdgeStateTest, a_push_that_changes_a_live_rule_replaces_it) {
  start_session();
  feed(push("p1", 7, 8080));
  EXPECT_EQ(feed(push("p2", 7, 8080, "10.0.0.2")),
            "replace 7 #1; activate 7 8080>10.0.0.2:80; ACTIVATED 7 p2");
  // The rule was never gone: its predecessor's end is nobody's business.
  EXPECT_EQ(removed(1), "");
  EXPECT_EQ(state.live(), 1U);
}

TEST_F(EdgeStateTest, a_replacement_that_fails_leaves_nothing) {
  start_session();
  feed(push("p1", 7, 8080));
  next_result = std::unexpected("port_in_use");
  EXPECT_EQ(feed(push("p2", 7, 8081)),
            "replace 7 #1; activate 7 8081>10.0.0.1:80; FAILED 7 p2 port_in_use");
  EXPECT_EQ(state.live(), 0U);
}

TEST_F(EdgeStateTest, a_refused_change_of_a_live_rule_tears_it_down) {
  start_session();
  feed(push("p1", 7, 8080));
  auto caps = push("p2", 7, 8080);
  caps.mutable_rule_update()->mutable_rule()->mutable_rate_limit()->set_bandwidth_in_bps(1);
  EXPECT_EQ(feed(caps), "remove 7 #1; FAILED 7 p2 rate_limit_unsupported_by_client");
  EXPECT_EQ(removed(1), "");
}

TEST_F(EdgeStateTest, a_rule_pushed_again_while_it_drains_counts_on_its_own) {
  start_session();
  feed(push("p1", 7, 8080));
  feed(remove("d1", 7));
  EXPECT_EQ(feed(push("p2", 7, 8080)), "activate 7 8080>10.0.0.1:80; ACTIVATED 7 p2");
  EXPECT_EQ(removed(1), "REMOVED 7 d1");  // asked for, so answered
  EXPECT_EQ(state.live(), 1U);
}

TEST_F(EdgeStateTest, D7_a_replayed_unchanged_rule_is_adopted) {
  start_session();
  feed(push("p1", 7, 8080));
  feed(replay_complete());
  start_session();
  EXPECT_EQ(feed(push("replay-1", 7, 8080)), "ACTIVATED 7 replay-1");
  EXPECT_EQ(feed(replay_complete()), "");
  EXPECT_EQ(state.live(), 1U);
}

TEST_F(EdgeStateTest, D7_a_replayed_changed_rule_is_replaced) {
  start_session();
  feed(push("p1", 7, 8080));
  start_session();
  EXPECT_EQ(feed(push("replay-1", 7, 8080, "10.0.0.9")),
            "replace 7 #1; activate 7 8080>10.0.0.9:80; ACTIVATED 7 replay-1");
  EXPECT_EQ(feed(replay_complete()), "");
}

TEST_F(EdgeStateTest, D7_what_was_not_replayed_is_removed_at_its_end) {
  start_session();
  feed(push("p1", 7, 8080));
  feed(push("p2", 8, 8081));
  feed(replay_complete());
  start_session();
  feed(push("replay-1", 8, 8081));
  EXPECT_EQ(feed(replay_complete()), "remove 7 #1");
  EXPECT_EQ(removed(1), "REMOVED 7 p1");  // of the PUSH: the teardown was not requested
  EXPECT_EQ(feed(replay_complete()), "");
  EXPECT_EQ(state.live(), 1U);
}

TEST_F(EdgeStateTest, D7_a_rule_pushed_within_the_replay_stays) {
  start_session();
  EXPECT_EQ(feed(push("p1", 7, 8080)), "activate 7 8080>10.0.0.1:80; ACTIVATED 7 p1");
  EXPECT_EQ(feed(replay_complete()), "");
}

TEST_F(EdgeStateTest, D7_a_session_lost_within_the_replay_removes_nothing) {
  start_session();
  feed(push("p1", 7, 8080));
  feed(push("p2", 8, 8081));
  feed(replay_complete());
  for (int i = 0; i < 3; ++i) {
    start_session();
    feed(push("replay", 8, 8081));
  }
  EXPECT_EQ(state.live(), 2U);
  state.begin_session();  // not even a Welcome
  EXPECT_EQ(describe(state.on_time(now + seconds(100))), "");
  EXPECT_EQ(state.live(), 2U);
}

TEST_F(EdgeStateTest, D7_a_port_that_moved_to_another_rule_is_freed_within_the_replay) {
  start_session();
  feed(push("p1", 5, 8080));
  feed(push("p2", 6, 8081));
  feed(replay_complete());
  // Meanwhile 5 was removed and 9 created on its port.
  start_session();
  feed(push("replay-1", 6, 8081));
  EXPECT_EQ(feed(push("replay-2", 9, 8080, "10.0.0.9")),
            "remove 5 #1; activate 9 8080>10.0.0.9:80; ACTIVATED 9 replay-2");
  EXPECT_EQ(removed(1), "REMOVED 5 p1");
  // A port of a rule that was replayed is not taken away; the engine refuses the second.
  EXPECT_EQ(feed(push("replay-3", 10, 8081)),
            "activate 10 8081>10.0.0.1:80; ACTIVATED 10 replay-3");
}

TEST_F(EdgeStateTest, a_port_is_not_freed_after_the_replay) {
  start_session();
  feed(push("p1", 5, 8080));
  feed(replay_complete());
  next_result = std::unexpected("port_in_use");
  EXPECT_EQ(feed(push("p2", 9, 8080)), "activate 9 8080>10.0.0.1:80; FAILED 9 p2 port_in_use");
}

TEST_F(EdgeStateTest, D7_without_a_marker_the_replay_ends_10_s_after_the_last_rule) {
  start_session();
  feed(push("p1", 7, 8080));
  feed(push("p2", 8, 8081));
  feed(replay_complete());
  now += seconds(60);
  start_session();
  ASSERT_EQ(state.deadline(), now + kQuiet);
  now += seconds(9);
  feed(push("replay-1", 7, 8080));
  ASSERT_EQ(state.deadline(), now + kQuiet);
  EXPECT_EQ(describe(state.on_time(now + kQuiet - std::chrono::milliseconds(1))), "");
  EXPECT_EQ(describe(state.on_time(now + kQuiet)), "remove 8 #1");
  EXPECT_FALSE(state.deadline());
  EXPECT_EQ(feed(replay_complete()), "");  // too late to matter
}

TEST_F(EdgeStateTest, D7_without_any_rule_the_replay_ends_10_s_after_the_welcome) {
  start_session();
  feed(push("p1", 7, 8080));
  start_session();
  EXPECT_EQ(describe(state.on_time(now + kQuiet)), "remove 7 #1");
}

TEST_F(EdgeStateTest, a_removal_within_the_replay_is_a_removal) {
  start_session();
  feed(push("p1", 7, 8080));
  feed(replay_complete());
  start_session();
  EXPECT_EQ(feed(remove("d1", 7)), "remove 7 #1");
  EXPECT_EQ(feed(replay_complete()), "");
  EXPECT_EQ(removed(1), "REMOVED 7 d1");
}

TEST_F(EdgeStateTest, a_rule_that_comes_back_after_its_removal_gets_no_late_REMOVED) {
  start_session();
  feed(push("p1", 7, 8080));
  start_session();
  EXPECT_EQ(describe(state.on_time(now + kQuiet)), "remove 7 #1");
  feed(push("late", 7, 8080));
  EXPECT_EQ(removed(1), "");
  EXPECT_EQ(state.live(), 1U);
}

TEST_F(EdgeStateTest, drains_that_end_between_sessions_are_silent) {
  start_session();
  feed(push("p1", 7, 8080));
  feed(remove("d1", 7));
  state.begin_session();
  EXPECT_EQ(removed(1), "");
  EXPECT_EQ(state.draining(), 0U);
}

TEST_F(EdgeStateTest, drains_that_end_in_the_next_session_are_told_there) {
  start_session();
  feed(push("p1", 7, 8080));
  feed(remove("d1", 7));
  start_session();
  EXPECT_EQ(removed(1), "REMOVED 7 d1");
}

TEST_F(EdgeStateTest, DRN_7_the_end_drains_everything_under_the_push_ids) {
  start_session();
  feed(push("p1", 7, 8080));
  feed(push("p2", 8, 8081));
  EXPECT_EQ(describe(state.remove_all()), "remove 7 #1; remove 8 #2");
  EXPECT_FALSE(state.deadline());
  EXPECT_EQ(removed(2), "REMOVED 8 p2");
  EXPECT_EQ(removed(1), "REMOVED 7 p1");
}

}  // namespace
}  // namespace portunus::client::agent
