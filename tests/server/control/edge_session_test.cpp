#include "server/control/edge_session.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/base/ulid.hpp"
#include "common/base/version.hpp"
#include "tests/server/control/fake_ports.hpp"
#include "tests/support/log_capture.hpp"

namespace portunus::server::control {
namespace {

using test::rule;

v1::ClientMessage hello(const std::string& instance_id = {}, const std::string& version = "1.8.0") {
  v1::ClientMessage message;
  message.mutable_hello()->set_protocol_version("1.0.0");
  message.mutable_hello()->set_client_version(version);
  message.mutable_hello()->set_instance_id(instance_id);
  return message;
}

v1::ClientMessage status(const std::string& request_id, std::uint64_t id, int outcome) {
  v1::ClientMessage message;
  message.mutable_rule_status()->set_request_id(request_id);
  message.mutable_rule_status()->set_rule_id(id);
  message.mutable_rule_status()->set_outcome(static_cast<v1::ActivationOutcome>(outcome));
  return message;
}

/// A session with a scripted rule feed; nothing of it touches a socket.
class EdgeSessionTest : public testing::Test {
 protected:
  EdgeSessionTest() {
    session.set_wake([this] { ++woken; });
  }

  /// What a stream with unlimited room would have sent by now, one word per message.
  std::vector<std::string> sent() {
    std::vector<std::string> out;
    while (auto message = session.next()) {
      if (message->has_welcome()) out.emplace_back("welcome");
      if (message->has_replay_complete()) out.emplace_back("complete");
      if (message->has_traffic_quota_update())
        out.push_back(word_of(message->traffic_quota_update()));
      if (message->has_owner_rate_limit_update()) {
        out.push_back(word_of(message->owner_rate_limit_update()));
      }
      if (!message->has_rule_update()) continue;
      const v1::RuleUpdate& update = message->rule_update();
      last = update;
      out.push_back((update.action() == v1::PUSH ? "push " : "remove ") +
                    std::to_string(update.rule().rule_id()));
    }
    return out;
  }
  using Words = std::vector<std::string>;

  static std::string word_of(const v1::TrafficQuotaUpdate& update) {
    if (update.action() == v1::TRAFFIC_QUOTA_ACTION_REMOVE) return "no quota " + update.user_id();
    return "quota " + update.user_id() + " " +
           std::to_string(update.state().budget_remaining_bytes());
  }
  static std::string word_of(const v1::OwnerRateLimitUpdate& update) {
    if (update.action() == v1::OWNER_RATE_LIMIT_ACTION_REMOVE)
      return "no caps " + update.owner_id();
    return "caps " + update.owner_id() + " " +
           std::to_string(update.rate_limit().concurrent_connections());
  }
  void set_quota(const std::string& user, std::int64_t left) {
    limits.quotas[user] = {.monthly_bytes = 100, .budget_remaining_bytes = left};
  }
  void set_caps(const std::string& owner, std::uint32_t concurrent) {
    limits.caps[owner].concurrent_connections = concurrent;
  }

  test::LogCapture log;
  test::FakeFeed feed;
  test::FakeLimits limits;
  ManualClock clock;
  int woken = 0;
  v1::RuleUpdate last;
  EdgeSession session{{SessionId{7}, "01J0000000000000000000000A", "edge-01", "192.0.2.1:5000", {}},
                      feed,
                      limits,
                      clock,
                      {.udp_flow_idle_secs = 90, .udp_max_flows_per_rule = 2048}};
};

TEST_F(EdgeSessionTest, CW_5_1_hello_opens_with_welcome_and_the_replay_in_the_rules_order) {
  feed.rules = {{RuleId{1}, rule(1)}, {RuleId{2}, rule(2)}};
  EXPECT_FALSE(session.live());
  EXPECT_FALSE(session.next());
  session.on_message(hello());
  EXPECT_TRUE(session.live());
  EXPECT_EQ(woken, 1);
  EXPECT_EQ(feed.begun, 1);
  EXPECT_EQ(sent(), (Words{"welcome", "push 1", "push 2"}));
  EXPECT_TRUE(session.wants_message());
  EXPECT_FALSE(session.verdict());
}

TEST_F(EdgeSessionTest, CW_2_2_welcome_says_what_the_server_is) {
  session.on_message(hello());
  const auto message = session.next();
  ASSERT_TRUE(message && message->has_welcome());
  EXPECT_EQ(message->welcome().server_version(), kVersion);
  EXPECT_EQ(message->welcome().server_time_unix_ms(), 1'700'000'000'000U);
  EXPECT_EQ(message->welcome().udp_flow_idle_secs(), 90U);
  EXPECT_EQ(message->welcome().udp_max_flows_per_rule(), 2048U);
}

TEST_F(EdgeSessionTest, CW_5_1_the_end_of_the_replay_is_marked_for_an_edge_with_an_instance_id) {
  feed.rules = {{RuleId{1}, rule(1)}};
  session.on_message(hello("01J00000000000000000000001"));
  ASSERT_TRUE(session.push("p", rule(2)));
  EXPECT_EQ(sent(), (Words{"welcome", "push 1", "complete", "push 2"}));
}

TEST_F(EdgeSessionTest, CW_2_3_a_replayed_push_has_an_id_of_its_own_which_the_rules_know) {
  feed.rules = {{RuleId{1}, rule(1)}};
  session.on_message(hello());
  session.next();
  EXPECT_TRUE(feed.expected.empty());  // not before it is sent
  const auto push = session.next();
  const std::string id = push->rule_update().request_id();
  EXPECT_TRUE(id.starts_with("replay-") && is_ulid(id.substr(7))) << id;
  EXPECT_EQ(feed.expected.at(id), RuleId{1});
  EXPECT_EQ(push->rule_update().rule().owner_id(), "alice");
}

TEST_F(EdgeSessionTest, CW_6_2_a_rule_removed_before_its_turn_is_never_pushed) {
  feed.rules = {{RuleId{1}, rule(1)}, {RuleId{2}, rule(2)}, {RuleId{3}, rule(3)}};
  session.on_message(hello("i"));
  session.next();
  session.next();  // push 1
  for (const std::uint64_t id : {1U, 3U}) {
    feed.rules.erase(RuleId{id});
    ASSERT_TRUE(session.remove("r" + std::to_string(id), RuleId{id}));
  }
  EXPECT_EQ(sent(), (Words{"push 2", "complete", "remove 1", "remove 3"}));
}

TEST_F(EdgeSessionTest, CW_6_2_a_rule_changed_before_its_turn_is_replayed_as_it_is_now) {
  feed.rules = {{RuleId{1}, rule(1)}};
  session.on_message(hello());
  feed.rules[RuleId{1}].targets[0].host = "10.9.9.9";
  ASSERT_TRUE(session.push("p", feed.rules[RuleId{1}]));
  session.next();
  EXPECT_EQ(session.next()->rule_update().rule().target_host(), "10.9.9.9");
  EXPECT_EQ(sent(), (Words{"push 1"}));
  EXPECT_EQ(last.request_id(), "p");
  EXPECT_EQ(last.rule().target_host(), "10.9.9.9");
}

TEST_F(EdgeSessionTest, D6_quotas_then_owner_caps_then_rules_then_the_mark) {
  feed.rules = {{RuleId{1}, rule(1)}};
  set_quota("bob", 7);
  set_quota("alice", -3);
  set_caps("alice", 5);
  session.on_message(hello("i"));
  EXPECT_EQ(sent(), (Words{"welcome", "quota alice -3", "quota bob 7", "caps alice 5", "push 1",
                           "complete"}));
}

TEST_F(EdgeSessionTest, CW_9_a_client_that_cannot_understand_is_not_told) {
  set_quota("alice", 7);
  set_caps("alice", 5);
  const std::vector<std::pair<std::string, Words>> cases = {
      {"", {"welcome"}},
      {"0.10.9", {"welcome"}},
      {"0.11.0", {"welcome", "caps alice 5", "caps alice 6"}},
      {"1.3.9", {"welcome", "caps alice 5", "caps alice 6"}},
      {"1.4.0", {"welcome", "quota alice 7", "caps alice 5", "quota alice 8", "caps alice 6"}},
  };
  for (const auto& [version, words] : cases) {
    set_quota("alice", 7);
    set_caps("alice", 5);
    EdgeSession one({SessionId{9}, "id", "edge-01", "addr", {}}, feed, limits, clock, {});
    one.set_wake([] {});
    one.on_message(hello({}, version));
    Words seen;
    const auto drain = [&] {
      while (const auto message = one.next()) {
        seen.push_back(message->has_welcome() ? "welcome"
                       : message->has_traffic_quota_update()
                           ? word_of(message->traffic_quota_update())
                           : word_of(message->owner_rate_limit_update()));
      }
    };
    drain();
    set_quota("alice", 8);
    set_caps("alice", 6);
    (void)one.quota_changed("alice");
    (void)one.owner_caps_changed("alice");
    drain();
    EXPECT_EQ(seen, words) << version;
    one.end("superseded");
  }
}

TEST_F(EdgeSessionTest, CW_6_2_quotas_and_caps_never_go_out_as_they_were) {
  set_quota("alice", 1);
  set_quota("bob", 2);
  set_caps("alice", 3);
  session.on_message(hello("i"));
  session.next();  // welcome
  session.next();  // quota alice 1
  using Told = quotas::QuotaSink::Told;
  set_quota("alice", 10);  // told already
  EXPECT_EQ(session.quota_changed("alice"), Told::queued);
  limits.quotas.erase("bob");  // not yet
  EXPECT_EQ(session.quota_changed("bob"), Told::queued);
  set_caps("alice", 30);
  (void)session.owner_caps_changed("alice");
  set_quota("carol", 4);  // new
  EXPECT_EQ(session.quota_changed("carol"), Told::queued);
  set_quota("alice", 11);
  EXPECT_EQ(session.quota_changed("alice"), Told::queued);
  EXPECT_EQ(sent(), (Words{"no quota bob", "caps alice 30", "complete", "quota alice 11",
                           "quota carol 4"}));
  limits.caps.clear();
  EXPECT_EQ(session.owner_caps_changed("alice"), owner_caps::OwnerCapSink::Told::queued);
  EXPECT_EQ(sent(), (Words{"no caps alice"}));
}

TEST_F(EdgeSessionTest, CW_2_4_limit_messages_name_the_client) {
  set_quota("alice", 1);
  limits.caps["alice"] = {};
  session.on_message(hello());
  session.rename("edge-99");
  session.next();
  const auto quota = session.next();
  ASSERT_TRUE(quota && quota->has_traffic_quota_update());
  EXPECT_TRUE(is_ulid(quota->traffic_quota_update().request_id()));
  EXPECT_EQ(quota->traffic_quota_update().client_name(), "edge-99");
  EXPECT_EQ(quota->traffic_quota_update().client_id(), "01J0000000000000000000000A");
  const auto caps = session.next();
  ASSERT_TRUE(caps && caps->has_owner_rate_limit_update());
  EXPECT_EQ(caps->owner_rate_limit_update().client_name(), "edge-99");
  EXPECT_EQ(caps->owner_rate_limit_update().client_id(), "01J0000000000000000000000A");
  // Caps without any are a SET that clears (control-wire 2.4).
  EXPECT_EQ(caps->owner_rate_limit_update().action(), v1::OWNER_RATE_LIMIT_ACTION_SET);
  EXPECT_FALSE(caps->owner_rate_limit_update().has_rate_limit());
}

TEST_F(EdgeSessionTest, CW_7_limits_of_a_session_that_is_not_live_wait_for_a_replay) {
  EXPECT_EQ(session.quota_changed("alice"), quotas::QuotaSink::Told::absent);
  session.on_message(hello());
  session.end("superseded");
  EXPECT_EQ(session.quota_changed("alice"), quotas::QuotaSink::Told::absent);
  EXPECT_EQ(session.owner_caps_changed("alice"), owner_caps::OwnerCapSink::Told::absent);
}

TEST_F(EdgeSessionTest, pushes_and_removes_carry_their_ids_in_the_order_made) {
  session.on_message(hello());
  sent();
  ASSERT_TRUE(session.push("p", rule(4)));
  EXPECT_EQ(woken, 2);
  ASSERT_TRUE(session.remove("r", RuleId{4}));
  EXPECT_EQ(sent(), (Words{"push 4", "remove 4"}));
  EXPECT_EQ(last.request_id(), "r");
  EXPECT_EQ(last.rule().ByteSizeLong(), 2U);  // REMOVE: only rule_id
}

TEST_F(EdgeSessionTest, nothing_can_be_pushed_before_the_first_message) {
  EXPECT_FALSE(session.push("p", rule(1)));
  EXPECT_FALSE(session.remove("r", RuleId{1}));
  session.on_message(hello());
  EXPECT_EQ(sent(), (Words{"welcome"}));
}

TEST_F(EdgeSessionTest, CW_2_6_hello_gives_the_capabilities_unknown_protocols_are_dropped) {
  v1::ClientMessage message = hello();
  for (const int number : {0, 7, 2, 2}) {
    message.mutable_hello()->add_supported_protocols(static_cast<v1::Protocol>(number));
  }
  session.on_message(message);
  EXPECT_TRUE(session.capabilities().udp);
  EXPECT_EQ(session.capabilities().version, "1.8.0");
  EXPECT_EQ(log.count("client.hello", {"\"client_name\":\"edge-01\",\"protocol_version\":\"1.0.0\","
                                       "\"client_version\":\"1.8.0\","
                                       "\"supported_protocols\":[\"udp\"]}"}),
            1U);
  EXPECT_EQ(log.count("client.connected",
                      {"\"level\":\"INFO\"",
                       "\"client_name\":\"edge-01\",\"remote_addr\":\"192.0.2.1:5000\","
                       "\"session_id\":\"7\",\"supported_protocols\":[\"udp\"]}"}),
            1U);
}

TEST_F(EdgeSessionTest, CW_5_1_no_protocols_mean_tcp_only) {
  session.on_message(hello());
  EXPECT_FALSE(session.capabilities().udp);
  EXPECT_EQ(log.count("client.connected", {"\"supported_protocols\":[\"tcp\"]"}), 1U);
}

TEST_F(EdgeSessionTest, CW_5_1_another_first_message_is_kept_until_the_replay_is_over) {
  feed.rules = {{RuleId{1}, rule(1)}};
  session.on_message(status("x", 9, v1::FAILED));
  EXPECT_TRUE(session.live());
  EXPECT_FALSE(session.wants_message());
  EXPECT_FALSE(session.capabilities().udp);
  EXPECT_EQ(session.capabilities().version, "");
  EXPECT_EQ(log.count("client.hello"), 0U);
  EXPECT_EQ(log.count("client.connected", {"\"supported_protocols\":[\"tcp\"]"}), 1U);
  session.next();
  EXPECT_TRUE(feed.statuses.empty());
  session.next();
  ASSERT_EQ(feed.statuses.size(), 1U);
  EXPECT_EQ(feed.statuses[0].request_id, "x");
  EXPECT_TRUE(session.wants_message());
}

TEST_F(EdgeSessionTest, CW_5_1_a_kept_message_is_also_reached_when_the_last_rule_was_removed) {
  feed.rules = {{RuleId{1}, rule(1)}};
  session.on_message(status("x", 9, v1::FAILED));
  feed.rules.clear();
  EXPECT_EQ(sent(), (Words{"welcome"}));
  EXPECT_EQ(feed.statuses.size(), 1U);
}

TEST_F(EdgeSessionTest, CW_2_6_an_unknown_first_payload_opens_the_session_too) {
  session.on_message({});
  EXPECT_EQ(sent(), (Words{"welcome"}));
  EXPECT_TRUE(session.wants_message());
}

TEST_F(EdgeSessionTest, CW_5_1_a_late_hello_is_ignored_with_a_warning) {
  session.on_message(hello());
  sent();
  session.on_message(hello("late"));
  EXPECT_EQ(feed.begun, 1);
  EXPECT_EQ(sent(), Words{});
  EXPECT_EQ(log.count("client.hello_after_welcome",
                      {"\"level\":\"WARN\"", "\"client_name\":\"edge-01\"",
                       "\"protocol_version\":\"1.0.0\"", "\"client_version\":\"1.8.0\""}),
            1U);
}

TEST_F(EdgeSessionTest, CW_6_3_statuses_reach_the_rules_with_the_identity_of_the_token) {
  session.on_message(hello());
  const std::vector<std::pair<int, rules::Outcome>> outcomes = {
      {v1::ACTIVATED, rules::Outcome::activated},
      {v1::FAILED, rules::Outcome::failed},
      {v1::REMOVED, rules::Outcome::removed},
      {0, rules::Outcome::other},
      {42, rules::Outcome::other}};
  for (const auto& [number, outcome] : outcomes) {
    v1::ClientMessage message = status("q", 5, number);
    message.mutable_rule_status()->set_reason("why");
    session.on_message(message);
    const test::FakeFeed::Status& seen = feed.statuses.back();
    EXPECT_EQ(seen.outcome, outcome) << number;
    EXPECT_EQ(seen.client_id, "01J0000000000000000000000A");
    EXPECT_EQ(seen.client_name, "edge-01");
    EXPECT_EQ(seen.request_id, "q");
    EXPECT_EQ(seen.rule, RuleId{5});
    EXPECT_EQ(seen.reason, "why");
  }
}

TEST_F(EdgeSessionTest, an_endless_reason_or_version_of_a_peer_is_cut_at_a_character) {
  v1::ClientMessage first = hello();
  first.mutable_hello()->set_client_version(std::string(70, 'v'));
  session.on_message(first);
  EXPECT_EQ(session.capabilities().version, std::string(64, 'v'));
  v1::ClientMessage message = status("q", 5, v1::FAILED);
  message.mutable_rule_status()->set_reason(std::string(1023, 'a') + "\u00e9" + "tail");
  session.on_message(message);
  EXPECT_EQ(feed.statuses.back().reason, std::string(1023, 'a'));
}

TEST_F(EdgeSessionTest, CW_8_reports_reach_the_rules_and_are_logged_at_debug) {
  session.on_message(hello());
  v1::ClientMessage message;
  v1::StatsReport& report = *message.mutable_stats_report();
  report.set_sent_at_unix_ms(11);
  report.add_stats()->set_rule_id(3);
  report.mutable_stats(0)->set_bytes_in(100);
  session.on_message(message);
  ASSERT_EQ(feed.report.rules.size(), 1U);
  EXPECT_EQ(feed.report.rules[0].rule, RuleId{3});
  EXPECT_EQ(feed.report.rules[0].bytes_in, 100U);
  EXPECT_EQ(log.count("client.stats_report", {"\"level\":\"DEBUG\"",
                                              "\"client_name\":\"edge-01\",\"rule_count\":1,"
                                              "\"sent_at_unix_ms\":11}"}),
            1U);
}

TEST_F(EdgeSessionTest, CW_2_5_a_report_reaches_the_rules_whole) {
  session.on_message(hello());
  v1::ClientMessage message;
  v1::StatsReport& report = *message.mutable_stats_report();
  v1::RuleStats& stats = *report.add_stats();
  stats.set_rule_id(3);
  stats.set_datagrams_in(4);
  stats.add_per_port()->set_listen_port(30'001);
  stats.add_per_target()->set_index(1);
  v1::SniListenerStats& port = *report.add_sni_listener_stats();
  port.set_listen_port(443);
  port.set_sni_route_miss_total(5);
  report.add_owner_rate_limit_stats()->set_owner_id("alice");
  session.on_message(message);
  EXPECT_EQ(feed.reporter, "edge-01");
  ASSERT_EQ(feed.report.rules.size(), 1U);
  EXPECT_EQ(feed.report.rules[0].datagrams_in, 4U);
  EXPECT_EQ(feed.report.rules[0].ports.size(), 1U);
  EXPECT_EQ(feed.report.rules[0].targets.size(), 1U);
  ASSERT_EQ(feed.report.sni_ports.size(), 1U);
  EXPECT_EQ(feed.report.sni_ports[0].misses, 5U);
  ASSERT_EQ(feed.report.owners.size(), 1U);
}

TEST_F(EdgeSessionTest, CW_9_the_rules_hear_what_the_client_can_do_before_they_replay) {
  v1::ClientMessage first = hello();
  first.mutable_hello()->set_client_version("0.9.1");
  session.on_message(first);
  EXPECT_EQ(feed.capabilities.version, "0.9.1");
  EXPECT_EQ(feed.capabilities.udp, session.capabilities().udp);

  EdgeSession silent({SessionId{9}, "id", "edge-01", "addr", {}}, feed, limits, clock, {});
  silent.set_wake([] {});
  silent.on_message(status("q", 1, v1::ACTIVATED));  // no Hello: TCP only, of an unknown release
  EXPECT_EQ(feed.capabilities.version, "");
  EXPECT_FALSE(feed.capabilities.udp);
}

TEST_F(EdgeSessionTest, CW_5_2_every_planned_end_is_ok_with_its_reason_and_level) {
  for (const auto& [reason, level] :
       {std::pair("superseded", "INFO"), std::pair("server_shutdown", "INFO"),
        std::pair("token_revoked", "WARN"), std::pair("credential_rotated", "WARN")}) {
    EdgeSession one({SessionId{9}, "id", "edge-01", "addr", {}}, feed, limits, clock, {});
    int calls = 0;
    one.set_wake([&] { ++calls; });
    one.on_message(hello());
    calls = 0;
    EXPECT_TRUE(one.end(reason));
    EXPECT_EQ(calls, 1);
    ASSERT_TRUE(one.verdict());
    EXPECT_TRUE(one.verdict()->ok());
    EXPECT_EQ(log.count("client.disconnected",
                        {"\"level\":\"" + std::string(level) + "\"",
                         "\"client_name\":\"edge-01\",\"session_id\":\"9\",\"reason\":\"" +
                             std::string(reason) + "\"}"}),
              1U);
    EXPECT_FALSE(one.end(reason));  // once
    one.on_broken("later");
    one.on_done();
  }
  EXPECT_EQ(log.count("client.disconnected"), 4U);
  EXPECT_EQ(log.count("client.transport_error"), 0U);
  EXPECT_EQ(feed.begun, 4);
  EXPECT_EQ(feed.ended, 4);
}

TEST_F(EdgeSessionTest, CW_5_2_nothing_passes_a_session_that_is_over) {
  feed.rules = {{RuleId{1}, rule(1)}};
  session.on_message(hello());
  session.end("superseded");
  session.on_message(status("q", 1, v1::ACTIVATED));
  session.on_message(hello());
  session.on_read_end();
  session.on_hello_timeout();
  EXPECT_TRUE(feed.statuses.empty());
  EXPECT_FALSE(session.next());
  EXPECT_FALSE(session.push("p", rule(2)));
  EXPECT_FALSE(session.wants_message());
  EXPECT_FALSE(session.live());
  EXPECT_EQ(feed.ended, 1);
  EXPECT_TRUE(session.verdict()->ok());
}

TEST_F(EdgeSessionTest, CW_5_2_a_closed_stream_is_client_closed_once_it_is_known_to_be_whole) {
  session.on_message(hello());
  session.on_read_end();
  EXPECT_TRUE(session.verdict()->ok());
  EXPECT_EQ(feed.ended, 1);
  EXPECT_EQ(log.count("client.disconnected"), 0U);
  EXPECT_FALSE(session.end("superseded"));  // it is gone already
  session.on_done();
  EXPECT_EQ(log.count("client.disconnected", {"INFO", "\"reason\":\"client_closed\""}), 1U);
  EXPECT_EQ(log.count("client.transport_error"), 0U);
}

TEST_F(EdgeSessionTest, CW_5_2_a_broken_stream_is_a_transport_error_whichever_sign_comes_first) {
  session.on_message(hello());
  session.on_read_end();
  session.on_broken("reset");
  session.on_done();
  const auto lines = log.lines();
  ASSERT_GE(lines.size(), 2U);
  EXPECT_TRUE(lines[lines.size() - 2].contains("client.transport_error")) << lines.back();
  EXPECT_EQ(log.count("client.transport_error",
                      {"WARN", "\"client_name\":\"edge-01\",\"error\":\"reset\"}"}),
            1U);
  EXPECT_EQ(log.count("client.disconnected", {"WARN", "\"reason\":\"transport_error\""}), 1U);
  EXPECT_EQ(feed.ended, 1);
}

TEST_F(EdgeSessionTest, CW_5_2_a_broken_stream_without_a_read_end_is_over_at_once) {
  session.on_message(hello());
  session.on_broken("reset");
  EXPECT_TRUE(session.verdict()->ok());
  EXPECT_EQ(log.count("client.disconnected", {"\"reason\":\"transport_error\""}), 1U);
  EXPECT_EQ(feed.ended, 1);
}

TEST_F(EdgeSessionTest, CW_5_1_an_edge_that_leaves_before_hello_is_told_so) {
  session.on_read_end();
  ASSERT_TRUE(session.verdict());
  EXPECT_EQ(session.verdict()->error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_EQ(session.verdict()->error_message(), "client_dropped_before_hello");
  session.on_done();
  EXPECT_EQ(log.count("client.transport_error", {"client_dropped_before_hello"}), 1U);
  EXPECT_EQ(log.count("client.disconnected"), 0U);  // it never was connected
  EXPECT_EQ(feed.begun + feed.ended, 0);
}

TEST_F(EdgeSessionTest, CW_5_1_a_stream_that_breaks_before_hello) {
  session.on_broken("reset");
  EXPECT_EQ(session.verdict()->error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_EQ(session.verdict()->error_message(), "transport_error_before_welcome");
  EXPECT_EQ(log.count("client.transport_error", {"transport_error_before_welcome"}), 1U);
  EXPECT_EQ(feed.begun + feed.ended, 0);
}

TEST_F(EdgeSessionTest, CW_1_2_hello_has_a_time_limit) {
  session.on_hello_timeout();
  EXPECT_EQ(session.verdict()->error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(session.verdict()->error_message(), "hello_timeout");
  session.on_message(hello());
  EXPECT_EQ(feed.begun, 0);
}

TEST_F(EdgeSessionTest, a_timeout_after_hello_means_nothing) {
  session.on_message(hello());
  session.on_hello_timeout();
  EXPECT_TRUE(session.live());
}

TEST_F(EdgeSessionTest, CW_5_2_an_end_before_hello_is_ok_too) {
  EXPECT_TRUE(session.end("superseded"));
  EXPECT_TRUE(session.verdict()->ok());
  EXPECT_EQ(log.count("client.disconnected"), 0U);
}

TEST_F(EdgeSessionTest, CW_1_2_an_edge_that_takes_nothing_is_given_up_before_it_costs_memory) {
  session.on_message(hello());
  for (std::size_t i = 0; i < Outbox::kMaxChanges; ++i) {
    ASSERT_TRUE(session.remove("r", RuleId{i}));
  }
  EXPECT_EQ(session.quota_changed("alice"), quotas::QuotaSink::Told::refused);
  EXPECT_FALSE(session.push("p", rule(1)));
  EXPECT_FALSE(session.live());
  EXPECT_EQ(log.count("client.disconnected", {"\"reason\":\"transport_error\""}), 1U);
}

TEST_F(EdgeSessionTest, CW_5_2_a_renamed_client_keeps_its_session_under_the_new_name) {
  session.on_message(hello());
  session.rename("edge-99");
  session.on_message(status("q", 1, v1::ACTIVATED));
  EXPECT_EQ(feed.statuses.back().client_name, "edge-99");
  session.end("superseded");
  EXPECT_EQ(log.count("client.disconnected", {"\"client_name\":\"edge-99\""}), 1U);
}

}  // namespace
}  // namespace portunus::server::control
