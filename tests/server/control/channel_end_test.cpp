#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/server/control/control_rig.hpp"

// How sessions end from the server's side (control-wire 5.2), over real sockets.

namespace portunus::server::control {
namespace {

using namespace std::chrono_literals;
using grpc::StatusCode;
using test::ControlRig;
using test::FakeEdge;

std::unique_ptr<FakeEdge> connected(ControlRig& rig, const std::string& bearer = "Bearer one") {
  auto edge = std::make_unique<FakeEdge>(rig.edge(bearer));
  edge->open();
  EXPECT_TRUE(edge->welcomed());
  return edge;
}

void expect_ended_ok(FakeEdge& edge) {
  const auto status = edge.ended();
  ASSERT_TRUE(status);
  EXPECT_TRUE(status->ok()) << status->error_message();
}

TEST(ChannelEnd, CW_5_2_a_second_stream_of_the_client_supersedes_the_first) {
  ControlRig rig;
  const auto first = connected(rig);
  const auto other = connected(rig, "Bearer two");
  const auto second = connected(rig);
  expect_ended_ok(*first);
  EXPECT_EQ(rig.log.count("client.disconnected", {"INFO", "\"reason\":\"superseded\""}), 1U);
  first->status("late", 1, v1::ACTIVATED);
  second->status("live", 1, v1::ACTIVATED);
  ASSERT_TRUE(rig.eventually([&] { return !rig.feed.statuses.empty(); }));
  EXPECT_EQ(rig.feed.statuses.size(), 1U);
  EXPECT_EQ(rig.feed.statuses[0].request_id, "live");
  EXPECT_FALSE(other->ended(0ms));
  EXPECT_EQ(rig.on_domain([&] { return rig.hub().session_count(); }), 2U);
}

TEST(ChannelEnd, CW_5_1_the_new_stream_wins_before_it_said_hello) {
  ControlRig rig;
  const auto first = connected(rig);
  FakeEdge second(rig.edge());
  second.open();
  expect_ended_ok(*first);
  EXPECT_TRUE(second.welcomed());
}

TEST(ChannelEnd, CW_12_5_two_clients_with_one_token_leave_exactly_one_session) {
  ControlRig rig;
  rig.on_domain([&] {
    for (std::uint64_t id = 1; id <= 20; ++id) rig.feed.rules[RuleId{id}] = test::rule(id);
  });
  std::vector<std::unique_ptr<FakeEdge>> sides(2);
  for (std::size_t i = 0; i < 200; ++i) {
    auto& side = sides[i % 2];
    side = std::make_unique<FakeEdge>(rig.edge());
    side->open();
    // Every third does not even wait for its Welcome.
    if (i % 3 == 0) {
      side->hello();
    } else {
      ASSERT_TRUE(side->welcomed()) << i;
    }
    EXPECT_LE(rig.on_domain([&] { return rig.hub().session_count(); }), 1U);
  }
  ASSERT_TRUE(rig.eventually([&] { return rig.hub().stream_count() == 1; }));
  EXPECT_EQ(rig.on_domain([&] { return rig.hub().session_count(); }), 1U);
  EXPECT_EQ(rig.on_domain([&] { return rig.feed.begun - rig.feed.ended; }), 1);
  EXPECT_FALSE(sides[1]->ended(0ms));
}

TEST(ChannelEnd, CW_5_2_revoke_and_rotation_end_the_session_with_ok) {
  ControlRig rig;
  for (const char* reason : {"token_revoked", "credential_rotated"}) {
    const auto edge = connected(rig);
    EXPECT_TRUE(rig.on_domain([&] { return rig.hub().disconnect(ControlRig::kOne, reason); }));
    expect_ended_ok(*edge);
    EXPECT_EQ(rig.log.count("client.disconnected",
                            {"WARN", "\"reason\":\"" + std::string(reason) + "\""}),
              1U);
    EXPECT_FALSE(rig.on_domain([&] { return rig.hub().disconnect(ControlRig::kOne, reason); }));
  }
}

TEST(ChannelEnd, a_deleted_client_keeps_no_session) {
  ControlRig rig;
  const auto edge = connected(rig);
  rig.on_domain([&] { rig.hub().on_client_removed(ControlRig::kOne); });
  expect_ended_ok(*edge);
}

TEST(ChannelEnd, CW_5_2_a_rename_ends_no_session) {
  ControlRig rig;
  const auto edge = connected(rig);
  rig.on_domain([&] { rig.hub().on_client_changed(ControlRig::kOne, "edge-99"); });
  edge->status("q", 1, v1::ACTIVATED);
  ASSERT_TRUE(rig.eventually([&] { return rig.feed.statuses.size() == 1; }));
  EXPECT_EQ(rig.feed.statuses[0].client_name, "edge-99");
}

TEST(ChannelEnd, CW_5_2_stopping_ends_every_session_with_ok_and_closes_the_port) {
  ControlRig rig;
  const auto one = connected(rig);
  const auto two = connected(rig, "Bearer two");
  FakeEdge silent(rig.edge("Bearer one"));  // connected, no stream
  ASSERT_TRUE(silent.channel().WaitForConnected(std::chrono::system_clock::now() + 10s));
  rig.stop(10s);
  expect_ended_ok(*one);
  expect_ended_ok(*two);
  EXPECT_EQ(rig.log.count("client.disconnected", {"INFO", "\"reason\":\"server_shutdown\""}), 2U);
  // GOAWAY: the idle connection is gone too, and nobody listens any more.
  const auto deadline = std::chrono::system_clock::now() + 10s;
  auto state = silent.channel().GetState(false);
  while (state == GRPC_CHANNEL_READY && silent.channel().WaitForStateChange(state, deadline)) {
    state = silent.channel().GetState(false);
  }
  EXPECT_NE(state, GRPC_CHANNEL_READY);
  FakeEdge late(rig.edge());
  late.open();
  const auto status = late.ended();
  ASSERT_TRUE(status);
  EXPECT_EQ(status->error_code(), StatusCode::UNAVAILABLE);
}

TEST(ChannelEnd, stopping_twice_is_harmless) {
  ControlRig rig;
  rig.stop(1s);
  rig.stop(1s);
}

TEST(ChannelEnd, CW_5_2_an_edge_that_takes_nothing_is_closed_hard_after_the_drain_time) {
  ControlRig rig({.hub = {.close_timeout = 60s}});
  FakeEdge::Options options = rig.edge();
  options.reading = false;
  FakeEdge edge(options);
  edge.open();
  edge.hello();
  ASSERT_TRUE(rig.eventually([&] { return rig.hub().connected(ControlRig::kOne); }));
  rig.on_domain([&] {
    for (std::uint64_t id = 1; id <= 5000; ++id) {
      rig.hub().push(ControlRig::kOne, "p", test::rule(id, std::string(250, 'h')));
    }
  });
  const auto begin = std::chrono::steady_clock::now();
  rig.stop(300ms);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 20s);
  EXPECT_EQ(rig.hub().stream_count(), 0U);
}

TEST(ChannelEnd, an_edge_that_takes_nothing_cannot_hold_its_session_or_another) {
  ControlRig rig({.hub = {.close_timeout = 100ms}});
  FakeEdge::Options options = rig.edge();
  options.reading = false;
  FakeEdge stuck(options);
  stuck.open();
  stuck.hello();
  const auto other = connected(rig, "Bearer two");
  ASSERT_TRUE(other->next()->has_replay_complete());
  ASSERT_TRUE(rig.eventually([&] { return rig.hub().connected(ControlRig::kOne); }));
  rig.on_domain([&] {
    for (std::uint64_t id = 1; id <= 5000; ++id) {
      ASSERT_TRUE(rig.hub().push(ControlRig::kOne, "p", test::rule(id, std::string(250, 'h'))));
    }
    rig.hub().push(ControlRig::kTwo, "quick", test::rule(1));
  });
  EXPECT_EQ(other->next()->rule_update().request_id(), "quick");
  EXPECT_TRUE(
      rig.on_domain([&] { return rig.hub().disconnect(ControlRig::kOne, "token_revoked"); }));
  EXPECT_FALSE(rig.on_domain([&] { return rig.hub().live_session(ControlRig::kOne).has_value(); }));
  EXPECT_TRUE(rig.eventually([&] { return rig.hub().stream_count() == 1; }));
  EXPECT_EQ(rig.log.count("client.transport_error"), 0U);
}

}  // namespace
}  // namespace portunus::server::control
