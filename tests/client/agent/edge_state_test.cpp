#include "client/agent/edge_state.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "tests/client/agent/dialogue.hpp"
#include "tests/client/agent/events.hpp"
#include "tests/support/log_capture.hpp"

namespace portunus::client::agent {
namespace {

using log::Event;
using std::chrono::seconds;
using test::LogCapture;

constexpr seconds kQuiet{10};

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
  std::string failed(std::uint64_t id, const std::string& reason) {
    return describe(state.on_rule_failed(RuleId{id}, reason));
  }

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

TEST_F(EdgeStateTest, unknown_payloads_are_skipped) {
  start_session();
  EXPECT_EQ(feed(v1::ServerMessage{}), "");
  EXPECT_EQ(feed(welcome()), "");
}

TEST_F(EdgeStateTest, refused_rules_are_answered_and_logged_by_kind) {
  start_session();
  EXPECT_EQ(feed(push("p1", 1, 0)), "FAILED 1 p1 range_invalid");
  EXPECT_TRUE(has(log, Event::rule_push_invalid_range, R"("request_id":"p1","rule_id":"1")"));
  EXPECT_EQ(feed(push("p2", 2, 80, "a_b")), "FAILED 2 p2 invalid_target_host");
  EXPECT_TRUE(has(log, Event::rule_push_invalid_target, R"("target_index":0)"));
  auto odd = push("p3", 3, 53);
  rule_of(odd).set_protocol(static_cast<v1::Protocol>(9));
  EXPECT_EQ(feed(odd), "FAILED 3 p3 unsupported_protocol");
  EXPECT_TRUE(has(log, Event::rule_failed, R"("reason":"unsupported_protocol")"));
  auto sni = push("p4", 4, 443);
  rule_of(sni).set_sni_pattern("*.com");
  EXPECT_EQ(feed(sni), "FAILED 4 p4 sni_pattern_malformed");
  EXPECT_TRUE(has(log, Event::sni_push_failed,
                  R"("request_id":"p4","rule_id":"4","error":"sni_pattern_malformed: *.com")"));
  auto caps = push("p5", 5, 80);
  rule_of(caps).mutable_rate_limit()->set_bandwidth_in_bps(0);
  EXPECT_EQ(feed(caps), "FAILED 5 p5 rate_limit_cap_zero");
  EXPECT_TRUE(has(log, Event::rule_failed, R"("reason":"rate_limit_cap_zero")"));
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
  // Said in another way: as a list of one row, with what has no effect on it.
  auto listed = push("p3", 7, 8080);
  v1::Target& row = *rule_of(listed).add_targets();
  row.set_host("10.0.0.1");
  row.set_port(80);
  row.set_priority(5);
  rule_of(listed).set_health_check_interval_secs(9);
  rule_of(listed).set_prefer_ipv6(true);
  EXPECT_EQ(feed(listed), "ACTIVATED 7 p3");
}

TEST_F(EdgeStateTest, LIFE_4_caps_change_in_place) {
  start_session();
  feed(push("p1", 7, 8080));
  feed(replay_complete());
  auto capped = push("p2", 7, 8080);
  rule_of(capped).mutable_rate_limit()->set_bandwidth_in_bps(100);
  EXPECT_EQ(feed(capped), "limit 7 in=100; ACTIVATED 7 p2");
  EXPECT_EQ(feed(capped), "ACTIVATED 7 p2");
  rule_of(capped).mutable_rate_limit()->set_concurrent_connections(3);
  EXPECT_EQ(feed(capped), "limit 7 in=100 live=3; ACTIVATED 7 p2");
  EXPECT_EQ(feed(push("p3", 7, 8080)), "limit 7 none; ACTIVATED 7 p3");
}

TEST_F(EdgeStateTest, D7_LIFE_4_caps_that_changed_meanwhile_are_updated_by_the_replay) {
  start_session();
  auto capped = push("p1", 7, 8080);
  rule_of(capped).mutable_rate_limit()->set_bandwidth_in_bps(100);
  EXPECT_EQ(feed(capped), "activate 7 8080>10.0.0.1:80 in=100; ACTIVATED 7 p1");
  start_session();
  EXPECT_EQ(feed(capped), "ACTIVATED 7 p1");
  start_session();
  rule_of(capped).mutable_rate_limit()->set_bandwidth_in_bps(200);
  EXPECT_EQ(feed(capped), "limit 7 in=200; ACTIVATED 7 p1");
  start_session();
  EXPECT_EQ(feed(push("p2", 7, 8080)), "limit 7 none; ACTIVATED 7 p2");
}

TEST_F(EdgeStateTest, nothing_but_caps_changes_in_place) {
  start_session();
  v1::ServerMessage base = push("p", 7, 8080);
  const v1::Target first = target("a.example", 80);
  *rule_of(base).add_targets() = first;
  *rule_of(base).add_targets() = target("b.example", 80);
  rule_of(base).set_owner_id("alice");
  using Change = void (*)(v1::Rule&);
  const Change changes[] = {
      [](v1::Rule& rule) { rule.set_owner_id("bob"); },
      [](v1::Rule& rule) { rule.set_protocol(v1::UDP); },
      [](v1::Rule& rule) { rule.set_listen_port(8081); },
      [](v1::Rule& rule) { rule.set_sni_pattern("a.example"); },
      [](v1::Rule& rule) { rule.set_prefer_ipv6(true); },
      [](v1::Rule& rule) { rule.set_health_check_interval_secs(5); },
      [](v1::Rule& rule) { rule.mutable_targets(1)->set_priority(1); },
      [](v1::Rule& rule) { rule.mutable_targets(1)->set_port(81); },
      [](v1::Rule& rule) {
        rule.mutable_targets(1)->set_proxy_protocol(v1::PROXY_PROTOCOL_VERSION_V1);
      },
      [](v1::Rule& rule) { rule.mutable_targets()->SwapElements(0, 1); },
      [](v1::Rule& rule) { rule.mutable_targets()->RemoveLast(); },
  };
  feed(base);
  for (const bool live : {true, false}) {
    for (const Change change : changes) {
      if (live) {
        feed(replay_complete());
      } else {
        start_session();
      }
      v1::ServerMessage changed = base;
      change(rule_of(changed));
      const std::string out = feed(changed);
      EXPECT_TRUE(out.starts_with("replace 7 #")) << rule_of(changed).ShortDebugString() << out;
      EXPECT_TRUE(out.ends_with("ACTIVATED 7 p")) << out;
      feed(base);
    }
  }
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
  EXPECT_EQ(feed(push("p2", 7, 8080, "a_b")), "remove 7 #1; FAILED 7 p2 invalid_target_host");
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

TEST_F(EdgeStateTest, D7_a_range_frees_whatever_it_overlaps) {
  start_session();
  feed(push("p1", 1, 8080));
  feed(range_push("p2", 2, 8081, 8085));
  feed(push("p3", 3, 8086));
  auto udp = push("p4", 4, 8082);
  rule_of(udp).set_protocol(v1::UDP);
  feed(udp);
  feed(replay_complete());
  start_session();
  // 8080..8083: rules 1 and 2 were removed meanwhile; 3 stands beside it, 4 is of another protocol.
  EXPECT_EQ(feed(range_push("r9", 9, 8080, 8083)),
            "remove 1 #1; remove 2 #2; activate 9 8080-8083>10.0.0.1:80; ACTIVATED 9 r9");
  EXPECT_EQ(feed(push("r3", 3, 8086)), "ACTIVATED 3 r3");
}

TEST_F(EdgeStateTest, SNI_2_siblings_that_the_replay_did_not_reach_yet_are_no_conflict) {
  start_session();
  feed(sni_push("p1", 1, 443, "a.example"));
  feed(sni_push("p2", 2, 443, "b.example"));
  feed(push("p3", 3, 443));  // the fallback
  feed(replay_complete());
  start_session();
  EXPECT_EQ(feed(sni_push("r1", 1, 443, "a.example")), "ACTIVATED 1 r1");
  EXPECT_EQ(feed(sni_push("r5", 5, 443, "c.example")),
            "activate 5 443>10.0.0.1:80 sni=c.example; ACTIVATED 5 r5");
  EXPECT_EQ(feed(push("r3", 3, 443)), "ACTIVATED 3 r3");
  // 2 was removed meanwhile; its siblings stay.
  EXPECT_EQ(feed(replay_complete()), "remove 2 #1");
}

TEST_F(EdgeStateTest, SNI_2_a_pattern_and_a_fallback_are_taken_over_within_the_replay) {
  start_session();
  feed(sni_push("p1", 1, 443, "a.example"));
  feed(push("p2", 2, 443));
  feed(replay_complete());
  start_session();
  EXPECT_EQ(feed(sni_push("r8", 8, 443, "a.example")),
            "remove 1 #1; activate 8 443>10.0.0.1:80 sni=a.example; ACTIVATED 8 r8");
  EXPECT_EQ(feed(push("r9", 9, 443)), "remove 2 #2; activate 9 443>10.0.0.1:80; ACTIVATED 9 r9");
}

TEST_F(EdgeStateTest,
       SNI_2_a_group_reduced_to_its_fallback_still_takes_patterns_after_a_reconnect) {
  start_session();
  feed(sni_push("p1", 1, 443, "a.example"));
  feed(push("p2", 2, 443));
  feed(replay_complete());
  feed(remove("d1", 1));
  start_session();
  EXPECT_EQ(feed(sni_push("r7", 7, 443, "b.example")),
            "activate 7 443>10.0.0.1:80 sni=b.example; ACTIVATED 7 r7");
  EXPECT_EQ(feed(push("r2", 2, 443)), "ACTIVATED 2 r2");
  EXPECT_EQ(feed(replay_complete()), "");
}

TEST_F(EdgeStateTest, SNI_2_a_plain_port_is_freed_for_a_pattern_within_the_replay) {
  start_session();
  feed(push("p1", 1, 443));
  feed(replay_complete());
  start_session();
  EXPECT_EQ(feed(sni_push("r7", 7, 443, "b.example")),
            "remove 1 #1; activate 7 443>10.0.0.1:80 sni=b.example; ACTIVATED 7 r7");
}

TEST_F(EdgeStateTest, SNI_2_a_group_that_was_not_replayed_before_a_plain_rule_gives_its_port_up) {
  start_session();
  feed(sni_push("p1", 1, 443, "a.example"));
  feed(sni_push("p9", 9, 443, "b.example"));
  feed(replay_complete());
  start_session();
  // Ascending ids, patterns first: 1 would have come by now. 9 may still come.
  EXPECT_EQ(feed(push("r5", 5, 443)), "remove 1 #1; activate 5 443>10.0.0.1:80; ACTIVATED 5 r5");
}

TEST_F(EdgeStateTest, SNI_2_a_range_over_a_port_in_sni_mode_frees_the_whole_group) {
  start_session();
  feed(sni_push("p1", 1, 443, "a.example"));
  feed(push("p2", 2, 443));
  feed(replay_complete());
  start_session();
  EXPECT_EQ(feed(range_push("r9", 9, 440, 449)),
            "remove 1 #1; remove 2 #2; activate 9 440-449>10.0.0.1:80; ACTIVATED 9 r9");
}

TEST_F(EdgeStateTest, an_sni_group_that_refuses_a_rule_is_logged) {
  start_session();
  for (const char* reason : {"mode_change_unsupported", "duplicate_rule_id"}) {
    next_result = std::unexpected(reason);
    EXPECT_EQ(feed(sni_push("p1", 1, 443, "a.example")),
              std::string("activate 1 443>10.0.0.1:80 sni=a.example; FAILED 1 p1 ") + reason);
    EXPECT_TRUE(has(log, Event::sni_push_failed,
                    std::string(R"("request_id":"p1","rule_id":"1","error":")") + reason));
  }
  next_result = std::unexpected("port_in_use");
  feed(sni_push("p1", 1, 443, "a.example"));
  EXPECT_EQ(count(log, Event::sni_push_failed), 2U);
}

TEST_F(EdgeStateTest, LIFE_5_a_rule_that_dies_is_told_once) {
  start_session();
  feed(push("p1", 7, 8080));
  feed(push("p2", 8, 8081));
  EXPECT_EQ(failed(7, "unexpected_task_exit:Listener(8080)"),
            "FAILED 7 p1 unexpected_task_exit:Listener(8080)");
  EXPECT_EQ(failed(7, "unexpected_task_exit:Listener(8080)"), "");
  EXPECT_EQ(state.live(), 1U);
  EXPECT_EQ(feed(remove("d1", 7)), "");  // nothing is left to remove
  EXPECT_TRUE(has(log, Event::rule_remove_unknown));
}

TEST_F(EdgeStateTest, LIFE_5_a_rule_that_dies_while_it_drains_ends_as_removed) {
  start_session();
  feed(push("p1", 7, 8080));
  feed(remove("d1", 7));
  EXPECT_EQ(failed(7, "unexpected_task_exit:Demux"), "");
  EXPECT_EQ(removed(1), "REMOVED 7 d1");
}

TEST_F(EdgeStateTest, LIFE_5_a_rule_that_dies_before_its_activation_is_answered_has_one_answer) {
  start_session();
  const Actions actions = state.on_message(push("p1", 7, 8080), now);
  ASSERT_EQ(describe(actions), "activate 7 8080>10.0.0.1:80");
  EXPECT_EQ(failed(7, "unexpected_task_exit:Demux"), "");
  EXPECT_EQ(describe(state.on_activated({})), "FAILED 7 p1 unexpected_task_exit:Demux");
  EXPECT_EQ(state.live(), 0U);
}

TEST_F(EdgeStateTest, LIFE_5_a_rule_that_died_between_sessions_answers_its_replay_once) {
  start_session();
  feed(push("p1", 7, 8080));
  feed(push("p2", 8, 8081));
  feed(push("p3", 9, 8082));
  state.end_session();
  for (const std::uint64_t id : {7U, 8U, 9U})
    EXPECT_EQ(failed(id, "unexpected_task_exit:Demux"), "");
  start_session();
  EXPECT_EQ(feed(push("r1", 7, 8080)), "FAILED 7 r1 unexpected_task_exit:Demux");
  // Another rule than the one that died, and an operator who tries once more.
  EXPECT_EQ(feed(push("r2", 8, 9999)), "activate 8 9999>10.0.0.1:80; ACTIVATED 8 r2");
  EXPECT_EQ(feed(push("r3", 7, 8080)), "activate 7 8080>10.0.0.1:80; ACTIVATED 7 r3");
  feed(replay_complete());
  EXPECT_EQ(feed(push("p9", 9, 8082)), "activate 9 8082>10.0.0.1:80; ACTIVATED 9 p9");
}

TEST_F(EdgeStateTest, udp_rules_take_the_settings_of_the_welcome) {
  state.begin_session();
  feed(welcome(120, 9));
  EXPECT_EQ(feed(udp_push("p1", 7, 53)), "activate 7 53>10.0.0.1:80 udp=120/9; ACTIVATED 7 p1");
  state.begin_session();
  feed(welcome(0, 0));  // the defaults
  EXPECT_EQ(feed(udp_push("p1", 8, 54)), "activate 8 54>10.0.0.1:80 udp=60/1024; ACTIVATED 8 p1");
  state.begin_session();
  feed(welcome(5, 70000));  // what no server of ours sends
  EXPECT_EQ(feed(udp_push("p1", 9, 55)), "activate 9 55>10.0.0.1:80 udp=30/65535; ACTIVATED 9 p1");
}

TEST_F(EdgeStateTest, D7_adopted_udp_rules_take_over_the_new_settings) {
  state.begin_session();
  feed(welcome(60, 1024));
  feed(udp_push("p1", 7, 53));
  feed(push("p2", 8, 80));
  state.begin_session();
  feed(welcome(90, 1024));
  EXPECT_EQ(feed(udp_push("r1", 7, 53)), "tune 7 udp=90/1024; ACTIVATED 7 r1");
  EXPECT_EQ(feed(push("r2", 8, 80)), "ACTIVATED 8 r2");
  EXPECT_EQ(feed(udp_push("u1", 7, 53)), "ACTIVATED 7 u1");
  state.begin_session();
  feed(welcome(90, 1024));
  EXPECT_EQ(feed(udp_push("r3", 7, 53)), "ACTIVATED 7 r3");
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
  state.end_session();
  EXPECT_EQ(removed(1), "");
  EXPECT_EQ(state.draining(), 0U);
}

TEST_F(EdgeStateTest, drains_that_end_before_the_next_welcome_are_silent) {
  start_session();
  feed(push("p1", 7, 8080));
  feed(remove("d1", 7));
  state.begin_session();
  EXPECT_EQ(removed(1), "");
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
