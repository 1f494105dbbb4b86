#include <gtest/gtest.h>

#include <string>

#include "tests/server/control/control_rig.hpp"

// The control port over real sockets: admission and the life of one session (control-wire 4, 5).

namespace portunus::server::control {
namespace {

using namespace std::chrono_literals;
using grpc::StatusCode;
using test::ControlRig;
using test::FakeEdge;

/// Opens a stream and expects it to be refused before any message.
grpc::Status refused(FakeEdge::Options options) {
  FakeEdge edge(std::move(options));
  edge.open();
  edge.hello();
  const auto status = edge.ended();
  EXPECT_FALSE(edge.next(0ms));
  return status.value_or(grpc::Status(StatusCode::UNKNOWN, "the stream did not end"));
}

TEST(Channel, CW_4_a_refused_bearer_gets_no_message_is_logged_and_counted) {
  ControlRig rig;
  const std::pair<Error, grpc::Status> rows[] = {
      {auth::Errc::missing_token, {StatusCode::UNAUTHENTICATED, "missing_token"}},
      {auth::Errc::malformed_token, {StatusCode::UNAUTHENTICATED, "malformed_token"}},
      {auth::Errc::token_not_found, {StatusCode::UNAUTHENTICATED, "token_not_found"}},
      {auth::Errc::token_revoked, {StatusCode::UNAUTHENTICATED, "token_revoked"}},
      {std::make_error_code(std::errc::io_error), {StatusCode::UNAVAILABLE, "token_verify_error"}},
  };
  for (const auto& [error, expected] : rows) {
    rig.on_domain([&] { rig.authority.refusal = error; });
    const grpc::Status status = refused(rig.edge());
    EXPECT_EQ(status.error_code(), expected.error_code()) << expected.error_message();
    EXPECT_EQ(status.error_message(), expected.error_message());
    const bool internal = expected.error_code() == StatusCode::UNAVAILABLE;
    const std::string reason = internal ? "internal_error" : expected.error_message();
    EXPECT_EQ(rig.log.count("auth.failure", {"WARN", "\"reason\":\"" + reason + "\"}"}), 1U);
    EXPECT_EQ(rig.on_domain([&] { return rig.hub().auth_failures().at(reason); }), 1U);
  }
  EXPECT_EQ(rig.on_domain([&] { return rig.hub().auth_failures().size(); }), 5U);
  EXPECT_EQ(rig.log.count("client.connected"), 0U);
  EXPECT_EQ(rig.on_domain([&] { return rig.feed.begun; }), 0);
}

TEST(Channel, CW_4_the_header_reaches_the_check_as_it_was_sent) {
  ControlRig rig;
  FakeEdge::Options none = rig.edge();
  none.authorization.reset();
  EXPECT_EQ(refused(none).error_message(), "missing_token");
  EXPECT_EQ(rig.on_domain([&] { return rig.authority.seen; }), std::nullopt);
  EXPECT_EQ(refused(rig.edge("bearer one")).error_message(), "token_not_found");
  EXPECT_EQ(rig.on_domain([&] { return rig.authority.seen; }), "bearer one");
}

TEST(Channel, CW_4_no_token_ever_stands_in_a_log_line) {
  ControlRig rig;
  refused(rig.edge("Bearer s3cr3t-t0ken"));
  for (const std::string& line : rig.log.lines()) EXPECT_FALSE(line.contains("s3cr3t")) << line;
}

TEST(Channel, CW_5_1_a_session_opens_works_and_closes) {
  ControlRig rig;
  rig.on_domain([&] { rig.feed.rules = {{RuleId{1}, test::rule(1)}}; });
  FakeEdge edge(rig.edge());
  edge.open();
  ASSERT_TRUE(edge.welcomed());
  const auto push = edge.next();
  ASSERT_TRUE(push && push->rule_update().action() == v1::PUSH);
  EXPECT_EQ(push->rule_update().rule().rule_id(), 1U);
  EXPECT_TRUE(edge.next()->has_replay_complete());
  edge.status(push->rule_update().request_id(), 1, v1::ACTIVATED);
  ASSERT_TRUE(rig.eventually([&] { return rig.feed.statuses.size() == 1; }));
  EXPECT_EQ(rig.feed.statuses[0].client_name, "edge-01");

  const auto live = rig.on_domain([&] { return rig.hub().live_session(ControlRig::kOne); });
  ASSERT_TRUE(live);
  EXPECT_TRUE(net::Endpoint::parse(live->remote_addr)) << live->remote_addr;
  EXPECT_EQ(rig.log.count("client.connected", {"\"remote_addr\":\"" + live->remote_addr + "\""}),
            1U);
  EXPECT_TRUE(rig.on_domain([&] { return rig.hub().connected(ControlRig::kOne); }));
  EXPECT_TRUE(rig.on_domain([&] { return rig.hub().capabilities(ControlRig::kOne)->udp; }));

  edge.half_close();
  const auto status = edge.ended();
  ASSERT_TRUE(status);
  EXPECT_TRUE(status->ok()) << status->error_message();
  EXPECT_TRUE(rig.eventually(
      [&] { return rig.log.count("client.disconnected", {"\"reason\":\"client_closed\""}) == 1; }));
  EXPECT_FALSE(rig.on_domain([&] { return rig.hub().live_session(ControlRig::kOne).has_value(); }));
  EXPECT_FALSE(rig.on_domain([&] { return rig.hub().connected(ControlRig::kOne); }));
  EXPECT_EQ(rig.log.count("client.transport_error"), 0U);
}

TEST(Channel, CW_5_1_an_older_edge_gets_no_field_100) {
  ControlRig rig;
  FakeEdge edge(rig.edge());
  edge.open();
  ASSERT_TRUE(edge.welcomed(""));
  rig.on_domain([&] { rig.hub().push(ControlRig::kOne, "p", test::rule(4)); });
  EXPECT_EQ(edge.next()->rule_update().request_id(), "p");
}

TEST(Channel, CW_5_1_before_the_first_message_nobody_is_connected_and_nothing_pushed) {
  ControlRig rig;
  FakeEdge edge(rig.edge());
  edge.open();
  ASSERT_TRUE(rig.eventually([&] { return rig.hub().stream_count() == 1; }));
  EXPECT_FALSE(rig.on_domain([&] { return rig.hub().live_session(ControlRig::kOne).has_value(); }));
  EXPECT_FALSE(rig.on_domain([&] { return rig.hub().connected(ControlRig::kOne); }));
  EXPECT_EQ(rig.on_domain([&] { return rig.hub().capabilities(ControlRig::kOne); }), nullptr);
  EXPECT_FALSE(rig.on_domain([&] { return rig.hub().push(ControlRig::kOne, "p", test::rule(1)); }));
  EXPECT_FALSE(rig.on_domain([&] { return rig.hub().remove(ControlRig::kOne, "r", RuleId{1}); }));
}

TEST(Channel, CW_5_1_a_status_as_first_message_is_processed_after_the_replay) {
  ControlRig rig;
  rig.on_domain([&] { rig.feed.rules = {{RuleId{1}, test::rule(1)}}; });
  FakeEdge edge(rig.edge());
  edge.open();
  edge.status("early", 1, v1::ACTIVATED);
  edge.status("second", 1, v1::ACTIVATED);
  EXPECT_TRUE(edge.next()->has_welcome());
  EXPECT_EQ(edge.next()->rule_update().rule().rule_id(), 1U);
  ASSERT_TRUE(rig.eventually([&] { return rig.feed.statuses.size() == 2; }));
  EXPECT_EQ(rig.feed.calls[1], "status early");
  EXPECT_EQ(rig.feed.calls[2], "status second");
}

TEST(Channel, CW_2_6_unknown_fields_are_skipped) {
  ControlRig rig;
  FakeEdge edge(rig.edge());
  edge.open();
  v1::ClientMessage message;
  message.mutable_hello()->set_client_version("9.0.0");
  v1::Hello::GetReflection()
      ->MutableUnknownFields(message.mutable_hello())
      ->AddLengthDelimited(900, "later");
  v1::ClientMessage::GetReflection()->MutableUnknownFields(&message)->AddVarint(901, 1);
  edge.send(message);
  EXPECT_TRUE(edge.next()->has_welcome());
  v1::ClientMessage later;  // a payload of a release to come
  v1::ClientMessage::GetReflection()->MutableUnknownFields(&later)->AddLengthDelimited(9, "x");
  edge.send(later);
  edge.status("q", 1, v1::ACTIVATED);
  EXPECT_TRUE(rig.eventually([&] { return rig.feed.statuses.size() == 1; }));
}

TEST(Channel, CW_1_2_hello_has_a_time_limit) {
  ControlRig rig({.hub = {.hello_timeout = 50ms}});
  FakeEdge edge(rig.edge());
  edge.open();
  const auto status = edge.ended();
  ASSERT_TRUE(status);
  EXPECT_EQ(status->error_code(), StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(status->error_message(), "hello_timeout");
  EXPECT_TRUE(rig.eventually([&] { return rig.hub().stream_count() == 0; }));
}

TEST(Channel, CW_1_2_the_limit_of_hello_does_not_touch_a_session_that_said_it) {
  ControlRig rig({.hub = {.hello_timeout = 100ms}});
  FakeEdge edge(rig.edge());
  edge.open();
  ASSERT_TRUE(edge.welcomed());
  EXPECT_FALSE(edge.ended(300ms));
}

TEST(Channel, CW_5_1_a_stream_closed_before_hello_is_cancelled_with_its_reason) {
  ControlRig rig;
  FakeEdge edge(rig.edge());
  edge.open();
  edge.half_close();
  const auto status = edge.ended();
  ASSERT_TRUE(status);
  EXPECT_EQ(status->error_code(), StatusCode::CANCELLED);
  EXPECT_EQ(status->error_message(), "client_dropped_before_hello");
  EXPECT_TRUE(rig.eventually([&] { return rig.hub().stream_count() == 0; }));
}

TEST(Channel, CW_5_1_a_stream_broken_before_hello) {
  ControlRig rig;
  FakeEdge edge(rig.edge());
  edge.open();
  ASSERT_TRUE(rig.eventually([&] { return rig.hub().stream_count() == 1; }));
  edge.cancel();
  EXPECT_TRUE(rig.eventually([&] { return rig.hub().stream_count() == 0; }));
  EXPECT_EQ(rig.log.count("client.transport_error", {"transport_error_before_welcome"}), 1U);
  EXPECT_EQ(rig.log.count("client.disconnected"), 0U);
}

TEST(Channel, CW_5_2_a_reset_stream_is_a_transport_error) {
  ControlRig rig;
  FakeEdge edge(rig.edge());
  edge.open();
  ASSERT_TRUE(edge.welcomed());
  edge.cancel();
  EXPECT_TRUE(rig.eventually([&] {
    return rig.log.count("client.disconnected", {"WARN", "\"reason\":\"transport_error\""}) == 1;
  }));
  EXPECT_EQ(rig.log.count("client.transport_error", {"WARN", "\"client_name\":\"edge-01\""}), 1U);
  EXPECT_TRUE(rig.eventually([&] { return rig.hub().stream_count() == 0; }));
}

}  // namespace
}  // namespace portunus::server::control
