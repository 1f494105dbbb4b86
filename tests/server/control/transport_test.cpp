#include <gtest/gtest.h>
#include <sys/socket.h>

#include <atomic>
#include <string>
#include <thread>

#include "tests/server/control/control_rig.hpp"
#include "tests/support/stalling_proxy.hpp"

// TLS, HTTP/2 and gRPC limits of the control port (control-wire 1).

namespace portunus::server::control {
namespace {

using namespace std::chrono_literals;
using grpc::StatusCode;
using test::ControlRig;
using test::FakeEdge;

TEST(Transport, CW_1_a_message_over_4_mib_ends_the_session) {
  ControlRig rig;
  FakeEdge edge(rig.edge());
  edge.open();
  ASSERT_TRUE(edge.welcomed());
  v1::ClientMessage large;
  large.mutable_rule_status()->set_reason(std::string(5 << 20, 'x'));
  edge.send(large);
  const auto status = edge.ended();
  ASSERT_TRUE(status);
  EXPECT_TRUE(status->error_code() == StatusCode::RESOURCE_EXHAUSTED ||
              status->error_code() == StatusCode::OUT_OF_RANGE)
      << status->error_code() << " " << status->error_message();
  EXPECT_TRUE(rig.eventually([&] { return rig.hub().stream_count() == 0; }));
  EXPECT_EQ(rig.log.count("client.disconnected", {"\"reason\":\"transport_error\""}), 1U);
}

TEST(Transport, CW_1_a_message_just_under_4_mib_is_taken) {
  ControlRig rig;
  FakeEdge edge(rig.edge());
  edge.open();
  ASSERT_TRUE(edge.welcomed());
  edge.status("q", 1, v1::FAILED, std::string((4 << 20) - 64, 'x'));
  EXPECT_TRUE(rig.eventually([&] { return rig.feed.statuses.size() == 1; }));
}

TEST(Transport, CW_1_compressed_messages_are_not_taken) {
  ControlRig rig;
  FakeEdge::Options options = rig.edge();
  options.arguments = {{GRPC_COMPRESSION_CHANNEL_DEFAULT_ALGORITHM, GRPC_COMPRESS_GZIP}};
  FakeEdge edge(options);
  edge.open();
  edge.hello();
  const auto status = edge.ended();
  ASSERT_TRUE(status);
  EXPECT_EQ(status->error_code(), StatusCode::UNIMPLEMENTED);
}

TEST(Transport, CW_1_2_pings_of_a_client_are_never_too_many) {
  ControlRig rig;
  FakeEdge::Options options = rig.edge();
  // Two hundred times the rate that has to be taken; the default server says GOAWAY at the third.
  options.arguments = {{GRPC_ARG_KEEPALIVE_TIME_MS, 50},
                       {GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 5000},
                       {GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1},
                       {GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0}};
  FakeEdge edge(options);
  edge.open();
  ASSERT_TRUE(edge.welcomed());
  EXPECT_FALSE(edge.ended(1500ms));
  edge.status("q", 1, v1::ACTIVATED);
  EXPECT_TRUE(rig.eventually([&] { return rig.feed.statuses.size() == 1; }));
  EXPECT_EQ(rig.on_domain([&] { return rig.feed.begun; }), 1);
}

TEST(Transport, CW_1_2_a_black_holed_edge_is_noticed_without_traffic) {
  ControlRig rig({.keepalive_interval = 100ms, .keepalive_timeout = 200ms});
  test::StallingProxy proxy(rig.endpoint);
  FakeEdge::Options options = rig.edge();
  options.target = proxy.endpoint().text();
  FakeEdge edge(options);
  edge.open();
  ASSERT_TRUE(edge.welcomed());
  EXPECT_FALSE(edge.ended(800ms));  // an idle session lives, its PINGs are answered
  EXPECT_TRUE(rig.on_domain([&] { return rig.hub().connected(ControlRig::kOne); }));
  proxy.stall();
  EXPECT_TRUE(rig.eventually([&] { return rig.hub().stream_count() == 0; }));
  EXPECT_EQ(rig.log.count("client.transport_error"), 1U);
  EXPECT_EQ(rig.log.count("client.disconnected", {"\"reason\":\"transport_error\""}), 1U);
}

TEST(Transport, CW_5_2_a_lost_connection_is_a_transport_error) {
  ControlRig rig;
  test::StallingProxy proxy(rig.endpoint);
  FakeEdge::Options options = rig.edge();
  options.target = proxy.endpoint().text();
  FakeEdge edge(options);
  edge.open();
  ASSERT_TRUE(edge.welcomed());
  proxy.cut();
  EXPECT_TRUE(rig.eventually([&] {
    return rig.log.count("client.disconnected", {"\"reason\":\"transport_error\""}) == 1;
  }));
  EXPECT_EQ(rig.log.count("client.transport_error"), 1U);
}

TEST(Transport, CW_1_1_broken_handshakes_leave_no_line_and_no_harm) {
  ControlRig rig;
  for (const std::string_view bytes : {"", "GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\xff\xff"}) {
    const net::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_storage address;
    const socklen_t length = rig.endpoint.to_sockaddr(address);
    ASSERT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), length), 0);
    ASSERT_EQ(::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  FakeEdge edge(rig.edge());
  edge.open();
  EXPECT_TRUE(edge.welcomed());
  for (const std::string& line : rig.log.lines()) {
    EXPECT_TRUE(line.contains("client.hello") || line.contains("client.connected")) << line;
  }
}

TEST(Transport, a_pair_that_does_not_fit_is_refused_at_start) {
  test::FakeAuthority authority;
  test::FakeFeed feed;
  test::FakeLimits limits;
  boost::asio::io_context io;
  crypto::CertificatePair pair = test::test_pair();
  pair.key_pem = "no key";
  ControlCore core(io.get_executor(), authority, feed, limits, SystemClock::instance(), {},
                   {.listen = {*net::IpAddress::parse("127.0.0.1"), 0}, .pair = pair});
  const auto bound = core.start();
  ASSERT_FALSE(bound);
}

TEST(Transport, a_busy_port_is_a_clear_error_and_an_unused_server_goes_quietly) {
  test::FakeAuthority authority;
  test::FakeFeed feed;
  test::FakeLimits limits;
  boost::asio::io_context io;
  GrpcSettings settings{.listen = {*net::IpAddress::parse("127.0.0.1"), 0},
                        .pair = test::test_pair()};
  ControlCore first(io.get_executor(), authority, feed, limits, SystemClock::instance(), {},
                    settings);
  const auto bound = first.start();
  ASSERT_TRUE(bound);
  settings.listen = *bound;
  ControlCore second(io.get_executor(), authority, feed, limits, SystemClock::instance(), {},
                     settings);
  const auto refused = second.start();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().text(), "Address already in use: " + bound->text());
}

}  // namespace
}  // namespace portunus::server::control
