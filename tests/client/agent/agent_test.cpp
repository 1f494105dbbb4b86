// The agent against a scripted server over real TLS and gRPC.

#include "client/agent/agent.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <string>
#include <vector>

#include "tests/client/agent/agent_life.hpp"
#include "tests/client/agent/events.hpp"
#include "tests/support/log_capture.hpp"

namespace portunus::client::agent {
namespace {

using log::Event;
using std::chrono::milliseconds;
using test::eventually;
using test::FakeControlServer;
using Calls = std::vector<std::string>;
using Stream = FakeControlServer::Stream;

/// What a script saw, told to the test.
class Notes {
 public:
  void add(std::string note) {
    const std::lock_guard lock(mutex_);
    notes_.push_back(std::move(note));
  }
  void add(const v1::RuleStatus& status) {
    add(v1::ActivationOutcome_Name(status.outcome()) + " " + std::to_string(status.rule_id()) +
        " " + status.request_id() + (status.reason().empty() ? "" : " " + status.reason()));
  }
  Calls all() const {
    const std::lock_guard lock(mutex_);
    return notes_;
  }
  bool wait_for(std::size_t count) const {
    return eventually([&] { return all().size() >= count; });
  }

 private:
  mutable std::mutex mutex_;
  Calls notes_;
};

class AgentTest : public testing::Test {
 protected:
  test::LogCapture log;
  FakeEngine engine;
  Notes notes;
};

TEST_F(AgentTest, hello_is_sent_at_once_and_says_what_we_are) {
  FakeControlServer server(test::test_pair(), [&](Stream& stream) {
    // No header of ours goes out before this read.
    const auto first = stream.read();
    notes.add(stream.authorization());
    notes.add(first->ShortDebugString());
    return grpc::Status::OK;
  });
  AgentOptions options = quick_options();
  options.reconnect_base = options.reconnect_cap = std::chrono::hours(1);
  AgentLife life(engine, bundle_for(server), options);
  ASSERT_TRUE(notes.wait_for(2));
  EXPECT_EQ(notes.all()[0], "Bearer the-bearer-of-this-test");
  EXPECT_EQ(notes.all()[1],
            R"(hello { protocol_version: "1.0.0" client_version: "1.8.0" supported_protocols: TCP )"
            R"(supported_protocols: UDP instance_id: "01J00000000000000000000001" })");
}

TEST_F(AgentTest, rules_come_and_go_with_their_statuses) {
  engine.fail_port(8081, "port_in_use");
  FakeControlServer server(test::test_pair(), [&](Stream& stream) {
    stream.welcome();
    stream.replay_complete();
    stream.push("p1", 7, 8080);
    notes.add(stream.status());
    stream.push("p2", 8, 8081);
    notes.add(stream.status());
    stream.push("p3", 9, 0);
    notes.add(stream.status());
    stream.remove("d1", 7);
    notes.add(stream.status());
    stream.read_to_end();
    return grpc::Status::OK;
  });
  {
    AgentLife life(engine, bundle_for(server), quick_options());
    ASSERT_TRUE(notes.wait_for(4));
    life.request_stop();
    EXPECT_EQ(life.end(), Agent::End::stopped);
  }
  EXPECT_EQ(notes.all(), (Calls{"ACTIVATED 7 p1", "FAILED 8 p2 port_in_use",
                                "FAILED 9 p3 range_invalid", "REMOVED 7 d1"}));
  EXPECT_EQ(engine.calls(),
            (Calls{"activate 7 10.0.0.1:80", "activate 8 10.0.0.1:80", "remove 7"}));
  EXPECT_TRUE(has(log, Event::control_connecting,
                  R"("attempt":1,"endpoint":")" + server.endpoint() + "\""));
  EXPECT_TRUE(has(log, Event::control_tls_pinned, server.pin()));
  EXPECT_TRUE(
      has(log, Event::control_connected,
          R"("server_version":"3.1.0","udp_flow_idle_secs":60,"udp_max_flows_per_rule":1024)"));
  for (const auto& line : log.lines()) EXPECT_FALSE(line.contains("the-bearer-of")) << line;
}

TEST_F(AgentTest, D7_rules_outlive_the_session_and_are_adopted) {
  FakeControlServer server(test::test_pair(), [&](Stream& stream) {
    stream.welcome();
    stream.push("r" + std::to_string(stream.number()), 7, 8080);
    stream.replay_complete();
    notes.add(stream.status());
    if (stream.number() < 4) return grpc::Status::OK;
    stream.read_to_end();
    return grpc::Status::OK;
  });
  AgentLife life(engine, bundle_for(server), quick_options());
  ASSERT_TRUE(notes.wait_for(4));
  EXPECT_EQ(notes.all(),
            (Calls{"ACTIVATED 7 r1", "ACTIVATED 7 r2", "ACTIVATED 7 r3", "ACTIVATED 7 r4"}));
  EXPECT_EQ(engine.calls(), (Calls{"activate 7 10.0.0.1:80"}));
  EXPECT_EQ(count(log, Event::control_disconnected), 3U);
  // A session that ended in order is no error, and every Welcome starts the count anew.
  EXPECT_EQ(count(log, Event::control_stream_error), 0U);
  EXPECT_EQ(count(log, Event::control_connecting, "\"attempt\":1,"), 4U);
}

TEST_F(AgentTest, D7_a_changed_rule_is_replaced_while_its_predecessor_drains) {
  engine.hold_drains(true);
  FakeControlServer server(test::test_pair(), [&](Stream& stream) {
    stream.welcome();
    stream.push("r", 7, 8080, stream.number() == 1 ? "10.0.0.1" : "10.0.0.2");
    notes.add(stream.status());
    if (stream.number() == 1) return grpc::Status::OK;
    stream.replay_complete();
    notes.add("still " + std::to_string(stream.report()->stats_size()));
    stream.read_to_end();
    return grpc::Status::OK;
  });
  AgentLife life(engine, bundle_for(server), quick_options());
  ASSERT_TRUE(notes.wait_for(3));
  EXPECT_EQ(notes.all(), (Calls{"ACTIVATED 7 r", "ACTIVATED 7 r", "still 1"}));
  EXPECT_EQ(engine.calls(),
            (Calls{"activate 7 10.0.0.1:80", "remove 7", "activate 7 10.0.0.2:80"}));
  engine.hold_drains(false);
}

TEST_F(AgentTest, D7_replay_complete_removes_what_was_not_replayed) {
  FakeControlServer server(test::test_pair(), [&](Stream& stream) {
    stream.welcome();
    if (stream.number() == 1) {
      stream.push("p1", 7, 8080);
      stream.push("p2", 8, 8081);
      notes.add(stream.status());
      notes.add(stream.status());
      return grpc::Status::OK;
    }
    stream.push("r1", 8, 8081);
    notes.add(stream.status());
    stream.replay_complete();
    notes.add(stream.status());
    stream.read_to_end();
    return grpc::Status::OK;
  });
  AgentLife life(engine, bundle_for(server), quick_options());
  ASSERT_TRUE(notes.wait_for(4));
  EXPECT_EQ(notes.all(),
            (Calls{"ACTIVATED 7 p1", "ACTIVATED 8 p2", "ACTIVATED 8 r1", "REMOVED 7 p1"}));
  EXPECT_EQ(engine.live(), (std::set<std::uint64_t>{8}));
}

TEST_F(AgentTest, D7_an_old_servers_replay_ends_by_silence) {
  FakeControlServer server(test::test_pair(), [&](Stream& stream) {
    stream.welcome("1.8.0");
    if (stream.number() == 1) {
      stream.push("p1", 7, 8080);
      notes.add(stream.status());
      return grpc::Status::OK;
    }
    notes.add(stream.status());  // of a removal that nobody sent
    stream.read_to_end();
    return grpc::Status::OK;
  });
  AgentOptions options = quick_options();
  options.replay_quiet = milliseconds(50);
  AgentLife life(engine, bundle_for(server), options);
  ASSERT_TRUE(notes.wait_for(2));
  EXPECT_EQ(notes.all(), (Calls{"ACTIVATED 7 p1", "REMOVED 7 p1"}));
}

TEST_F(AgentTest, D7_sessions_cut_within_the_replay_lose_no_rule) {
  constexpr int kCuts = 60;
  FakeControlServer server(test::test_pair(), [&](Stream& stream) {
    stream.welcome();
    for (std::uint64_t id = 1; id <= 20; ++id) {
      // Each session dies at another place; the first is whole.
      if (stream.number() > 1 && stream.number() <= kCuts &&
          static_cast<int>(id) == 1 + stream.number() % 20) {
        return grpc::Status(grpc::StatusCode::UNAVAILABLE, "cut");
      }
      stream.push("p" + std::to_string(id), id, static_cast<std::uint32_t>(8000 + id));
    }
    stream.replay_complete();
    for (int i = 0; i < 20; ++i) stream.status();
    if (stream.number() <= kCuts) return grpc::Status::OK;
    notes.add("whole");
    stream.read_to_end();
    return grpc::Status::OK;
  });
  AgentLife life(engine, bundle_for(server), quick_options());
  ASSERT_TRUE(notes.wait_for(1));
  EXPECT_EQ(engine.calls().size(), 20U);
  EXPECT_EQ(engine.live().size(), 20U);
}

TEST_F(AgentTest, every_unauthenticated_is_final_and_tears_the_rules_down) {
  for (const std::string reason :
       {"missing_token", "malformed_token", "token_not_found", "token_revoked", "new_reason", ""}) {
    FakeEngine rules;
    FakeControlServer server(test::test_pair(), [&](Stream& stream) {
      if (stream.number() > 1) return grpc::Status(grpc::StatusCode::UNAUTHENTICATED, reason);
      stream.welcome();
      stream.push("p1", 7, 8080);
      stream.status();
      return grpc::Status::OK;
    });
    AgentLife life(rules, bundle_for(server), quick_options());
    EXPECT_EQ(life.end(), Agent::End::refused) << reason;
    EXPECT_EQ(server.streams(), 2);
    EXPECT_EQ(rules.calls(), (Calls{"activate 7 10.0.0.1:80", "remove 7"}));
    const std::string logged = reason.empty() ? "unauthenticated" : reason;
    EXPECT_TRUE(has(log, Event::client_auth_failure, "\"reason\":\"" + logged + "\"")) << reason;
  }
  EXPECT_EQ(count(log, Event::control_terminal), 6U);
}

TEST_F(AgentTest, unauthenticated_within_a_session_is_final_too) {
  FakeControlServer server(test::test_pair(), [&](Stream& stream) {
    stream.welcome();
    return grpc::Status(grpc::StatusCode::UNAUTHENTICATED, "token_revoked");
  });
  AgentLife life(engine, bundle_for(server), quick_options());
  EXPECT_EQ(life.end(), Agent::End::refused);
  EXPECT_EQ(server.streams(), 1);
}

TEST_F(AgentTest, other_refusals_are_retried_with_growing_attempts) {
  FakeControlServer server(test::test_pair(), [&](Stream& stream) {
    if (stream.number() < 4)
      return grpc::Status(grpc::StatusCode::UNAVAILABLE, "token_verify_error");
    stream.welcome();
    notes.add("welcomed");
    stream.read_to_end();
    return grpc::Status::OK;
  });
  AgentLife life(engine, bundle_for(server), quick_options());
  ASSERT_TRUE(notes.wait_for(1));
  EXPECT_EQ(count(log, Event::control_connect_failed, "UNAVAILABLE: token_verify_error"), 3U);
  EXPECT_TRUE(has(log, Event::control_connecting, "\"attempt\":4,"));
}

TEST_F(AgentTest, a_server_that_does_not_welcome_is_left) {
  FakeControlServer server(test::test_pair(), [&](Stream& stream) {
    stream.read();
    if (stream.number() == 1) stream.push("p1", 7, 8080);  // anything but a Welcome
    notes.add("stream");
    stream.read_to_end();
    return grpc::Status::OK;
  });
  AgentOptions options = quick_options();
  options.welcome_budget = milliseconds(100);
  AgentLife life(engine, bundle_for(server), options);
  ASSERT_TRUE(notes.wait_for(3));
  EXPECT_TRUE(has(log, Event::control_connect_failed, "welcome_missing"));
  EXPECT_TRUE(has(log, Event::control_connect_failed, "no Welcome within"));
  EXPECT_EQ(engine.calls(), Calls{});
}

TEST_F(AgentTest, D8_counters_go_on_where_delivery_ended) {
  FakeControlServer server(test::test_pair(), [&](Stream& stream) {
    stream.welcome();
    stream.push("r", 7, 8080);
    stream.replay_complete();
    stream.status();
    if (stream.number() == 1) {
      engine.set_bytes(7, 100, 10);
      while (const auto report = stream.report()) {
        if (report->stats(0).bytes_in() == 100) break;
      }
      return grpc::Status::OK;
    }
    const auto report = stream.report();
    notes.add(std::to_string(report->stats(0).bytes_in()) + " " +
              std::to_string(report->stats(0).bytes_out()));
    stream.read_to_end();
    return grpc::Status::OK;
  });
  AgentOptions options = quick_options();
  options.stats_interval = milliseconds(30);
  AgentLife life(engine, bundle_for(server), options);
  ASSERT_TRUE(
      eventually([&] { return server.streams() == 1 && has(log, Event::control_connected); }));
  ASSERT_TRUE(notes.wait_for(1));
  // At most the reports between the one the script waited for and the end came after it, and they
  // carried the same numbers.
  EXPECT_EQ(notes.all()[0], "0 0");
}

TEST_F(AgentTest, CW_8_the_last_numbers_of_a_removed_rule_are_reported) {
  FakeControlServer server(test::test_pair(), [&](Stream& stream) {
    stream.welcome();
    stream.push("p1", 7, 8080);
    stream.replay_complete();
    stream.status();
    engine.set_bytes(7, 100, 10);
    stream.remove("d1", 7);
    for (std::uint64_t seen = 0; seen < 100;) seen = stream.report()->stats(0).bytes_in();
    notes.add("all of it");
    stream.read_to_end();
    return grpc::Status::OK;
  });
  AgentOptions options = quick_options();
  options.stats_interval = milliseconds(5);
  AgentLife life(engine, bundle_for(server), options);
  ASSERT_TRUE(notes.wait_for(1));
}

TEST_F(AgentTest, CW_8_what_a_rule_moved_before_it_died_without_a_session_is_reported) {
  std::atomic<bool> died{false};
  FakeControlServer server(test::test_pair(), [&](Stream& stream) {
    if (stream.number() == 1) {
      stream.welcome();
      stream.push("p1", 7, 8080);
      stream.replay_complete();
      stream.status();
      notes.add("up");
      return grpc::Status::OK;
    }
    if (!eventually([&] { return died.load(); })) return grpc::Status::OK;
    stream.welcome();
    stream.push("p2", 7, 8080);
    stream.replay_complete();
    notes.add(stream.status());
    const auto report = stream.report();
    notes.add(std::to_string(report->stats(0).rule_id()) + " moved " +
              std::to_string(report->stats(0).bytes_in()));
    stream.read_to_end();
    return grpc::Status::OK;
  });
  AgentOptions options = quick_options();
  options.stats_interval = milliseconds(5);
  AgentLife life(engine, bundle_for(server), options);
  ASSERT_TRUE(notes.wait_for(1));
  ASSERT_TRUE(eventually([&] { return has(log, Event::control_disconnected); }));
  engine.set_bytes(7, 500, 0);
  life.kill_rule(engine, 7, "unexpected_task_exit:Reaper");
  died = true;
  ASSERT_TRUE(notes.wait_for(3));
  EXPECT_EQ(notes.all(), (Calls{"up", "FAILED 7 p2 unexpected_task_exit:Reaper", "7 moved 500"}));
}

TEST_F(AgentTest, no_report_is_sent_while_no_rule_is_installed) {
  FakeControlServer server(test::test_pair(), [&](Stream& stream) {
    stream.welcome();
    stream.replay_complete();
    // Whatever ticks until then sent nothing: the first message is the status.
    notes.add("ready");
    while (!has(log, Event::shutdown_signal)) std::this_thread::sleep_for(milliseconds(1));
    stream.push("p1", 7, 8080);
    notes.add(stream.read()->has_rule_status() ? "status first" : "report first");
    notes.add("then " + std::to_string(stream.report()->stats_size()));
    stream.read_to_end();
    return grpc::Status::OK;
  });
  AgentOptions options = quick_options();
  options.stats_interval = milliseconds(2);
  AgentLife life(engine, bundle_for(server), options);
  ASSERT_TRUE(notes.wait_for(1));
  const auto until = std::chrono::steady_clock::now() + milliseconds(50);
  eventually([&] { return std::chrono::steady_clock::now() > until; });
  log::log(Event::shutdown_signal);  // any line will do as a signal to the script
  ASSERT_TRUE(notes.wait_for(3));
  EXPECT_EQ(notes.all(), (Calls{"ready", "status first", "then 1"}));
}

TEST_F(AgentTest, DRN_7_a_stop_drains_reports_and_closes) {
  engine.hold_drains(true);
  engine.set_drain_bytes(5);
  FakeControlServer server(test::test_pair(), [&](Stream& stream) {
    stream.welcome();
    stream.push("p1", 7, 8080);
    stream.push("p2", 8, 8081);
    stream.replay_complete();
    stream.status();
    stream.status();
    engine.set_bytes(7, 100, 0);
    notes.add("up");
    std::uint64_t last = 0;
    while (const auto message = stream.read()) {
      if (message->has_rule_status()) notes.add(message->rule_status());
      if (message->has_stats_report()) last = message->stats_report().stats(0).bytes_in();
    }
    notes.add("closed at " + std::to_string(last));
    return grpc::Status::OK;
  });
  AgentLife life(engine, bundle_for(server), quick_options());
  ASSERT_TRUE(notes.wait_for(1));
  life.request_stop();
  ASSERT_TRUE(eventually([&] { return engine.live().empty(); }));
  life.request_stop();  // again: changes nothing
  EXPECT_FALSE(life.ended());
  engine.hold_drains(false);
  EXPECT_EQ(life.end(), Agent::End::stopped);
  ASSERT_TRUE(notes.wait_for(4));
  Calls calls = notes.all();
  ASSERT_EQ(calls.size(), 4U);
  std::ranges::sort(calls.begin() + 1, calls.end() - 1);  // rules drain side by side
  EXPECT_EQ(calls, (Calls{"up", "REMOVED 7 p1", "REMOVED 8 p2", "closed at 105"}));
}

TEST_F(AgentTest, DRN_5_what_drains_at_the_end_is_reported_limited_and_metered) {
  engine.hold_drains(true);
  FakeControlServer server(test::test_pair(), [&](Stream& stream) {
    stream.welcome();
    stream.push("p1", 7, 8080);
    stream.replay_complete();
    stream.status();
    engine.set_bytes(7, 100, 0);
    notes.add("up");
    eventually([&] { return engine.live().empty(); });
    engine.set_draining_bytes(7, 140);
    // While it drains, not after it.
    while (const auto report = stream.report()) {
      if (report->stats(0).bytes_in() == 140) break;
    }
    stream.push("p2", 8, 8081);  // the next session's replay brings it again
    v1::ServerMessage message;
    v1::TrafficQuotaUpdate& quota = *message.mutable_traffic_quota_update();
    quota.set_action(v1::TRAFFIC_QUOTA_ACTION_SET);
    quota.set_user_id("alice");
    quota.mutable_state()->set_budget_remaining_bytes(0);
    quota.mutable_state()->set_exhausted(true);
    stream.write(message);
    notes.add("told");
    while (const auto more = stream.read()) {
      if (more->has_rule_status()) notes.add(more->rule_status());
    }
    return grpc::Status::OK;
  });
  AgentOptions options = quick_options();
  options.stats_interval = milliseconds(5);
  AgentLife life(engine, bundle_for(server), options);
  ASSERT_TRUE(notes.wait_for(1));
  life.request_stop();
  ASSERT_TRUE(notes.wait_for(2));
  const Calls wanted = {"activate 7 10.0.0.1:80", "remove 7", "quota alice 0 exhausted"};
  EXPECT_TRUE(eventually([&] { return engine.calls() == wanted; }));
  EXPECT_TRUE(
      eventually([&] { return has(log, Event::traffic_quota_applied_set, R"("user":"alice")"); }));
  engine.hold_drains(false);
  EXPECT_EQ(life.end(), Agent::End::stopped);
  EXPECT_EQ(engine.calls(), wanted);
  ASSERT_TRUE(notes.wait_for(3));
  EXPECT_EQ(notes.all(), (Calls{"up", "told", "REMOVED 7 p1"}));
}

TEST_F(AgentTest, DRN_2_the_drain_ends_by_its_window) {
  engine.hold_drains(true);
  FakeControlServer server(test::test_pair(), [&](Stream& stream) {
    stream.welcome();
    stream.push("p1", 7, 8080);
    notes.add(stream.status());
    stream.read_to_end();
    return grpc::Status::OK;
  });
  AgentOptions options = quick_options();
  options.drain_window = milliseconds(50);
  AgentLife life(engine, bundle_for(server), options);
  ASSERT_TRUE(notes.wait_for(1));
  life.request_stop();
  EXPECT_EQ(life.end(), Agent::End::stopped);
}

TEST_F(AgentTest, a_server_that_never_closes_does_not_hold_the_end) {
  std::atomic<bool> over{false};
  FakeControlServer server(test::test_pair(), [&](Stream& stream) {
    stream.welcome();
    notes.add("up");
    stream.read_to_end();
    eventually([&] { return over.load(); });
    return grpc::Status::OK;
  });
  AgentOptions options = quick_options();
  options.goodbye = milliseconds(50);
  AgentLife life(engine, bundle_for(server), options);
  ASSERT_TRUE(notes.wait_for(1));
  life.request_stop();
  EXPECT_EQ(life.end(), Agent::End::stopped);
  over = true;
}

TEST_F(AgentTest, a_stop_interrupts_the_backoff_and_still_drains) {
  engine.hold_drains(true);
  auto server = std::make_unique<FakeControlServer>(test::test_pair(), [&](Stream& stream) {
    stream.welcome();
    stream.push("p1", 7, 8080);
    notes.add(stream.status());
    stream.read_to_end();
    return grpc::Status::OK;
  });
  AgentOptions options = quick_options();
  options.reconnect_base = options.reconnect_cap = std::chrono::hours(10);
  AgentLife life(engine, bundle_for(*server), options);
  ASSERT_TRUE(notes.wait_for(1));
  server.reset();
  ASSERT_TRUE(eventually([&] { return has(log, Event::control_disconnected); }));
  EXPECT_TRUE(has(log, Event::control_stream_error));
  EXPECT_EQ(engine.live(), (std::set<std::uint64_t>{7}));
  life.request_stop();
  ASSERT_TRUE(eventually([&] { return engine.live().empty(); }));
  EXPECT_FALSE(life.ended());
  engine.hold_drains(false);
  EXPECT_EQ(life.end(), Agent::End::stopped);
}

TEST_F(AgentTest, RL_12_limits_and_quotas_reach_the_engine_and_are_reconciled) {
  FakeControlServer server(test::test_pair(), [&](Stream& stream) {
    stream.welcome();
    if (stream.number() == 1) {
      for (const char* owner : {"alice", "bob"}) {
        stream.write(quota(owner, 500));
        stream.write(owner_limit(owner, 5));
      }
      stream.push("p1", 7, 8080);
      stream.replay_complete();
      notes.add(stream.status());
      return grpc::Status::OK;
    }
    stream.write(quota("alice", -1, true));
    stream.push("r1", 7, 8080);
    stream.write(owner_limit("bob", 6));
    stream.replay_complete();
    auto caps = push("u1", 7, 8080);
    rule_of(caps).mutable_rate_limit()->set_bandwidth_in_bps(9);
    stream.write(caps);
    notes.add(stream.status());
    notes.add(stream.status());
    stream.read_to_end();
    return grpc::Status::OK;
  });
  AgentLife life(engine, bundle_for(server), quick_options());
  ASSERT_TRUE(notes.wait_for(3));
  EXPECT_EQ(notes.all(), (Calls{"ACTIVATED 7 p1", "ACTIVATED 7 r1", "ACTIVATED 7 u1"}));
  EXPECT_EQ(engine.calls(),
            (Calls{"quota alice 500", "limit alice live=5", "quota bob 500", "limit bob live=5",
                   "activate 7 10.0.0.1:80", "quota alice 0 exhausted", "limit bob live=6",
                   "limit alice none", "unmeter bob", "limit 7 in=9"}));
}

TEST_F(AgentTest, UDP_settings_come_with_the_welcome) {
  FakeControlServer server(test::test_pair(), [&](Stream& stream) {
    stream.read();
    stream.write(welcome(static_cast<std::uint32_t>(100 + stream.number()), 9));
    stream.write(udp_push("r", 7, 5353));
    stream.replay_complete();
    notes.add(stream.status());
    if (stream.number() == 2) stream.read_to_end();
    return grpc::Status::OK;
  });
  AgentLife life(engine, bundle_for(server), quick_options());
  ASSERT_TRUE(notes.wait_for(2));
  EXPECT_EQ(engine.calls(), (Calls{"activate 7 10.0.0.1:80 udp=101/9", "tune 7 udp=102/9"}));
}

TEST_F(AgentTest, LIFE_5_a_rule_that_dies_is_told_once_and_is_out_of_the_reports) {
  FakeControlServer server(test::test_pair(), [&](Stream& stream) {
    stream.welcome();
    stream.push("p1", 7, 8080);
    stream.push("p2", 8, 8081);
    stream.replay_complete();
    stream.status();
    stream.status();
    notes.add("up");
    notes.add(stream.status());
    while (stream.report()->stats_size() != 1) {
    }
    notes.add("one left");
    stream.read_to_end();
    return grpc::Status::OK;
  });
  AgentLife life(engine, bundle_for(server), quick_options());
  ASSERT_TRUE(notes.wait_for(1));
  life.kill_rule(engine, 7, "unexpected_task_exit:Demux");
  ASSERT_TRUE(notes.wait_for(3));
  EXPECT_EQ(notes.all(), (Calls{"up", "FAILED 7 p1 unexpected_task_exit:Demux", "one left"}));
  life.request_stop();
  EXPECT_EQ(life.end(), Agent::End::stopped);
  EXPECT_EQ(engine.calls(),
            (Calls{"activate 7 10.0.0.1:80", "activate 8 10.0.0.1:80", "remove 8"}));
}

TEST_F(AgentTest, D8_a_report_says_everything_that_the_engine_counts) {
  model::RuleTraffic rule;
  rule.rule = RuleId{7};
  rule.bytes_in = 1;
  rule.sni_exact = 2;
  rule.limit.rejects[1] = 3;
  rule.targets = {{.index = 0, .host = "a", .port = 1, .connections = 4}};
  model::SniPortTraffic port;
  port.listen_port = 443;
  port.misses = 5;
  model::OwnerTraffic owner;
  owner.owner_id = "alice";
  owner.limit.throttle_us_out = 6;
  FakeControlServer server(test::test_pair(), [&](Stream& stream) {
    stream.welcome();
    stream.push("r", 7, 443);
    stream.replay_complete();
    stream.status();
    if (stream.number() == 1) {
      // The rule last: a report that has it has the others, too.
      engine.set_sni_ports({port});
      engine.set_owners({owner});
      engine.set_traffic(rule);
      // The second one says that the first was delivered.
      for (int seen = 0; seen < 2;) seen += stream.report()->stats(0).bytes_in() != 0 ? 1 : 0;
      return grpc::Status(grpc::StatusCode::UNAVAILABLE, "cut");
    }
    port.misses = 15;
    owner.limit.throttle_us_out = 16;
    engine.set_sni_ports({port});
    engine.set_owners({owner});
    while (const auto report = stream.report()) {
      if (report->owner_rate_limit_stats_size() == 0) continue;  // not before the set_owners()
      notes.add(report->stats(0).ShortDebugString());
      notes.add(report->sni_listener_stats(0).ShortDebugString());
      notes.add(report->owner_rate_limit_stats(0).ShortDebugString());
      break;
    }
    stream.read_to_end();
    return grpc::Status::OK;
  });
  AgentLife life(engine, bundle_for(server), quick_options());
  ASSERT_TRUE(notes.wait_for(3));
  EXPECT_EQ(notes.all(), (Calls{R"(rule_id: 7 per_target { host: "a" port: 1 })",
                                "listen_port: 443 sni_route_miss_total: 10",
                                R"(owner_id: "alice" stats { throttle_micros_out: 10 })"}));
}

TEST_F(AgentTest, the_last_report_has_the_numbers_of_ports_that_left_sni_mode) {
  model::SniPortTraffic port;
  port.listen_port = 443;
  port.misses = 5;
  engine.set_sni_ports({port});
  engine.hold_drains(true);
  FakeControlServer server(test::test_pair(), [&](Stream& stream) {
    stream.welcome();
    stream.push("p1", 7, 443);
    stream.replay_complete();
    notes.add(stream.status());
    std::uint64_t last = 0;
    while (const auto report = stream.report()) {
      last = report->sni_listener_stats_size() == 0
                 ? 0
                 : report->sni_listener_stats(0).sni_route_miss_total();
    }
    notes.add(std::to_string(last));
    return grpc::Status::OK;
  });
  AgentOptions options = quick_options();
  options.stats_interval = std::chrono::hours(1);  // so that only the last one comes
  AgentLife life(engine, bundle_for(server), options);
  ASSERT_TRUE(notes.wait_for(1));
  life.request_stop();
  ASSERT_TRUE(eventually([&] { return engine.live().empty(); }));
  engine.set_sni_ports({});
  engine.hold_drains(false);
  EXPECT_EQ(life.end(), Agent::End::stopped);
  ASSERT_TRUE(notes.wait_for(2));
  EXPECT_EQ(notes.all()[1], "5");
}

TEST_F(AgentTest, a_report_too_large_for_one_message_goes_without_its_details) {
  model::RuleTraffic wide;
  wide.rule = RuleId{7};
  wide.bytes_in = 1;
  for (std::uint32_t i = 0; i < 2; ++i) {
    // No engine has such names; they stand for tens of thousands of rows.
    wide.targets.push_back({.index = i, .host = std::string(3 << 20, 'a'), .port = 1});
  }
  FakeControlServer server(test::test_pair(), [&](Stream& stream) {
    stream.welcome();
    stream.push("p1", 7, 443);
    stream.replay_complete();
    stream.status();
    engine.set_traffic(wide);
    while (const auto report = stream.report()) {
      if (report->stats(0).bytes_in() == 0) continue;
      notes.add(report->stats(0).ShortDebugString());
      break;
    }
    stream.read_to_end();
    return grpc::Status::OK;
  });
  AgentLife life(engine, bundle_for(server), quick_options());
  ASSERT_TRUE(notes.wait_for(1));
  EXPECT_EQ(notes.all()[0], "rule_id: 7 bytes_in: 1");
}

TEST_F(AgentTest, a_thousand_rules_replayed_before_the_server_reads_any_status) {
  constexpr std::uint64_t kRules = 1000;
  FakeControlServer server(test::test_pair(), [&](Stream& stream) {
    stream.welcome();
    for (std::uint64_t id = 1; id <= kRules; ++id) {
      stream.push("replay-01J00000000000000000000001-" + std::to_string(id), id,
                  static_cast<std::uint32_t>(10'000 + id));
    }
    stream.replay_complete();
    for (std::uint64_t i = 0; i < kRules; ++i) {
      if (stream.status().outcome() != v1::ACTIVATED) return grpc::Status::OK;
    }
    notes.add("all");
    stream.read_to_end();
    return grpc::Status::OK;
  });
  AgentLife life(engine, bundle_for(server), quick_options());
  ASSERT_TRUE(notes.wait_for(1));
  EXPECT_EQ(engine.live().size(), kRules);
}

}  // namespace
}  // namespace portunus::client::agent
