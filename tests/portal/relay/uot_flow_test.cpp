// Portal contract 13: a UDP flow inside of a TCP connection.

#include "portal/relay/uot_flow.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <boost/asio/ip/udp.hpp>
#include <chrono>
#include <string>

#include "common/async/gate.hpp"
#include "portal/relay/errc.hpp"
#include "tests/portal/support/stream_pair.hpp"
#include "tests/support/test_io.hpp"

namespace portunus::portal::relay {
namespace {

using namespace std::chrono_literals;
using portunus::test::bytes_of;
using portunus::test::received_now;
using portunus::test::StreamPair;
using portunus::test::TestIo;
using Cause = UotEnd::Cause;
using Udp = boost::asio::ip::udp;

std::string frame(const std::string& payload) {
  return std::string{static_cast<char>(payload.size() >> 8), static_cast<char>(payload.size())} +
         payload;
}

struct Fixture {
  Fixture()
      : far(io.context(), Udp::endpoint(boost::asio::ip::address_v4::loopback(), 0)),
        terms{.buffer_size = 65536,
              .idle_timeout = 10s,
              .pacers = pacers,
              .counters = counters.core(0)} {
    far.non_blocking(true);
    Udp::socket near(io.context());
    near.connect(far.local_endpoint());
    near.non_blocking(true);
    target = std::make_unique<UdpTarget>(std::move(near));
  }

  void start(std::string behind_setup = {}) {
    early = std::move(behind_setup);
    result = io.start(relay_uot(*client.stream, *target, bytes_of(early), terms));
  }
  UotEnd end() {
    io.run_until([this] { return result->has_value(); });
    return **result;
  }
  /// The next packet at the target, however long it takes.
  std::string packet() {
    std::string got(65536, '\0');
    io.run_until([&] {
      boost::system::error_code ec;
      const std::size_t n = far.receive_from(boost::asio::buffer(got), from, 0, ec);
      if (ec) return false;
      got.resize(n);
      return true;
    });
    return got;
  }
  void reply(const std::string& payload) { far.send_to(boost::asio::buffer(payload), from); }
  void expect_at_client(const std::string& wanted) {
    std::string got;
    io.run_until([&] {
      got += received_now(client.peer.fd());
      return got.size() >= wanted.size();
    });
    EXPECT_EQ(got, wanted);
  }

  TestIo io;
  StreamPair client{io.context()};
  std::string early;
  Udp::socket far;
  Udp::endpoint from;
  Counters counters{1};
  Pacers pacers{Pacer(0), Pacer(0)};
  UotTerms terms;
  std::unique_ptr<UdpTarget> target;
  std::shared_ptr<std::optional<UotEnd>> result;
};

TEST(PortalUotFlow, Section13_PacketsPassBothWaysAndPayloadAloneIsCounted) {
  Fixture f;
  f.start();
  f.client.peer.send(frame("ping"));
  EXPECT_EQ(f.packet(), "ping");
  f.reply("pong!");
  f.expect_at_client(frame("pong!"));
  f.client.peer.half_close();
  const UotEnd end = f.end();
  EXPECT_EQ(end.cause, Cause::client_ended);
  EXPECT_EQ(f.counters.totals().udp_rx, 4U);
  EXPECT_EQ(f.counters.totals().udp_tx, 5U);
  EXPECT_EQ(f.counters.totals().tcp_rx, 0U);
}

TEST(PortalUotFlow, Section13_PacketsBehindTheSetupFrameGoFirst) {
  Fixture f;
  f.start(frame("one") + frame("two") + frame("three").substr(0, 4));
  f.client.peer.send(frame("three").substr(4));
  EXPECT_EQ(f.packet(), "one");
  EXPECT_EQ(f.packet(), "two");
  EXPECT_EQ(f.packet(), "three");
  f.client.peer.half_close();
  f.end();
}

TEST(PortalUotFlow, Section13_EmptyPacketsPassInBothDirections) {
  Fixture f;
  f.start();
  f.client.peer.send(frame("") + frame("a"));
  EXPECT_EQ(f.packet(), "");
  EXPECT_EQ(f.packet(), "a");
  f.reply("");
  f.expect_at_client(frame(""));
  f.client.peer.half_close();
  f.end();
}

TEST(PortalUotFlow, Section13_APartialFrameSurvivesTargetTraffic) {
  Fixture f;
  f.start(frame("first"));
  EXPECT_EQ(f.packet(), "first");
  const std::string slow = frame("dribbled");
  for (const char byte : slow) {
    f.client.peer.send(std::string(1, byte));
    f.io.poll();
    f.reply("x");
    f.expect_at_client(frame("x"));
  }
  EXPECT_EQ(f.packet(), "dribbled");
  f.client.peer.half_close();
  f.end();
}

TEST(PortalUotFlow, Section13_ManyRepliesArriveAsTheirFrames) {
  Fixture f;
  f.start(frame("hello"));
  f.packet();
  std::string wanted;
  for (int i = 0; i < 50; ++i) {
    f.reply("reply " + std::to_string(i));
    wanted += frame("reply " + std::to_string(i));
  }
  f.expect_at_client(wanted);
  f.client.peer.half_close();
  EXPECT_EQ(f.end().cause, Cause::client_ended);
}

TEST(PortalUotFlow, Section15_RepliesAreCutToTheBuffer) {
  Fixture f;
  f.terms.buffer_size = 3;
  f.start(frame("hello"));
  f.packet();
  f.reply("abcdef");
  f.expect_at_client(frame("abc"));
  f.client.peer.half_close();
  f.end();
}

TEST(PortalUotFlow, Section13_AnEndInsideOfAFrameClosesToo) {
  Fixture f;
  f.start();
  f.client.peer.send(frame("whole").substr(0, 3));
  f.client.peer.half_close();
  const UotEnd end = f.end();
  EXPECT_EQ(end.cause, Cause::failed);
  ASSERT_TRUE(end.error);
  EXPECT_TRUE(*end.error == Errc::truncated);
  EXPECT_EQ(f.client.peer.receive_all(), "");
}

TEST(PortalUotFlow, Section13_AResetOfTheClientEndsTheFlow) {
  Fixture f;
  f.start();
  f.io.poll();
  f.client.peer.reset();
  EXPECT_EQ(f.end().cause, Cause::failed);
}

TEST(PortalUotFlow, Section13_AnErrorOfTheTargetsSocketEndsTheFlow) {
  Fixture f;
  f.far.close();  // packets to it are answered by ICMP from here on
  f.start();
  f.client.peer.send(frame("a"));
  const UotEnd end = f.end();
  EXPECT_EQ(end.cause, Cause::failed);
  ASSERT_TRUE(end.error);
  EXPECT_EQ(end.error->code, std::errc::connection_refused);
  EXPECT_EQ(f.client.peer.receive_all(), "") << "the connection is closed";
}

TEST(PortalUotFlow, Section13_IdleTimeEndsTheFlow) {
  Fixture f;
  f.terms.idle_timeout = 100ms;
  const auto begin = std::chrono::steady_clock::now();
  f.start();
  EXPECT_EQ(f.end().cause, Cause::idle);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 100ms);
  EXPECT_EQ(f.client.peer.receive_all(), "");
}

TEST(PortalUotFlow, Section13_PartsOfAFrameDoNotRestartTheIdleClock) {
  Fixture f;
  f.terms.idle_timeout = 150ms;
  f.start();
  f.client.peer.send(frame(std::string(60000, 'x')).substr(0, 100));
  const auto begin = std::chrono::steady_clock::now();
  // One octet a millisecond, however fast the loop turns: the frame's 60 000
  // are never complete, so nothing here is a packet that may restart the clock.
  auto next = begin;
  f.io.run_until([&] {
    if (const auto now = std::chrono::steady_clock::now(); now >= next) {
      f.client.peer.send_what_fits("x");
      next = now + 1ms;
    }
    return f.result->has_value();
  });
  EXPECT_EQ((*f.result)->cause, Cause::idle);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 8s);
}

TEST(PortalUotFlow, Section15_IdleZeroEndsAtOnce) {
  Fixture f;
  f.terms.idle_timeout = 0s;
  f.start();
  EXPECT_EQ(f.end().cause, Cause::idle);
}

TEST(PortalUotFlow, Section17_CancellationEndsTheFlow) {
  Fixture f;
  async::Gate gate(f.io.executor());
  std::optional<UotEnd> end;
  const auto task = [](Fixture& fixture, std::optional<UotEnd>& out) -> async::Task<void> {
    out = co_await relay_uot(*fixture.client.stream, *fixture.target, {}, fixture.terms);
  };
  gate.spawn(task(f, end));
  f.io.poll();
  gate.request_stop();
  f.io.run_until([&] { return gate.idle(); });
  ASSERT_TRUE(end);
  EXPECT_EQ(end->cause, Cause::stopped);
}

}  // namespace
}  // namespace portunus::portal::relay
