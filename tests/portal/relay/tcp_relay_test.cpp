// Portal contract 11: the TCP relay between two real connections.

#include "portal/relay/tcp_relay.hpp"

#include <gtest/gtest.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <cerrno>
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
using Cause = RelayEnd::Cause;

/// A relay between two connections whose far ends the test holds.
struct Fixture {
  explicit Fixture(std::uint64_t up_rate = 0, std::uint64_t down_rate = 0,
                   std::size_t buffer_size = 32768)
      : buffers(buffer_size),
        pacers{Pacer(up_rate), Pacer(down_rate)},
        terms{.buffers = buffers,
              .half_close_grace = 10s,
              .pacers = pacers,
              .counters = counters.core(0)} {}

  void start(std::string_view early = {}) {
    result = io.start(relay_tcp(*client.stream, *target.stream, bytes_of(early), terms));
  }
  RelayEnd end() {
    io.run_until([this] { return result->has_value(); });
    return **result;
  }
  /// Waits for what arrives at one of the far ends.
  void expect_at(portunus::test::Socket& peer, const std::string& wanted) {
    std::string got;
    io.run_until([&] {
      got += received_now(peer.fd());
      return got.size() >= wanted.size();
    });
    EXPECT_EQ(got, wanted);
  }
  /// Waits until one of the far ends has read the clean end.
  void expect_end_at(portunus::test::Socket& peer) {
    char byte = 0;
    ssize_t n = -1;
    io.run_until([&] {
      n = ::recv(peer.fd(), &byte, 1, MSG_DONTWAIT);
      return n == 0 || (n < 0 && errno != EAGAIN);
    });
    EXPECT_EQ(n, 0);
  }

  BufferPool buffers;
  TestIo io;
  StreamPair client{io.context()};
  StreamPair target{io.context()};
  Counters counters{1};
  Pacers pacers;
  RelayTerms terms;
  std::shared_ptr<std::optional<RelayEnd>> result;
};

/// A client whose transport ends without the end that its protocol asks for, as TLS without
/// close_notify does.
class TruncatedStream final : public ByteStream {
 public:
  Task<Result<std::size_t>> read_some(std::span<std::byte>) override {
    co_return fail(Errc::truncated);
  }
  Task<Result<>> write_all(std::span<const std::byte>) override { co_return Result<>{}; }
  Task<Result<>> finish() override { co_return Result<>{}; }
  void abort() noexcept override { aborted = true; }
  std::optional<net::Endpoint> peer_endpoint() const override { return std::nullopt; }
  std::optional<net::Endpoint> local_endpoint() const override { return std::nullopt; }
  bool aborted = false;
};

/// One whose bytes were there already when it was aborted.
class LateStream final : public ByteStream {
 public:
  Task<Result<std::size_t>> read_some(std::span<std::byte> into) override {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    while (!aborted) {
      timer.expires_after(1ms);
      co_await timer.async_wait(async::kTuple);
    }
    co_return into.size();
  }
  Task<Result<>> write_all(std::span<const std::byte>) override { co_return Result<>{}; }
  Task<Result<>> finish() override { co_return Result<>{}; }
  void abort() noexcept override { aborted = true; }
  std::optional<net::Endpoint> peer_endpoint() const override { return std::nullopt; }
  std::optional<net::Endpoint> local_endpoint() const override { return std::nullopt; }
  bool aborted = false;
};

TEST(PortalTcpRelay, Section11_3_TheClientsEndComesFirst) {
  Fixture f;
  f.start();
  f.client.peer.send("request");
  f.client.peer.half_close();
  f.expect_at(f.target.peer, "request");
  f.expect_end_at(f.target.peer);
  f.target.peer.send("response");
  f.target.peer.close();
  f.expect_at(f.client.peer, "response");
  const RelayEnd end = f.end();
  EXPECT_EQ(end.cause, Cause::both_ended);
  EXPECT_EQ(end.uplink, 7U);
  EXPECT_EQ(end.downlink, 8U);
  EXPECT_EQ(f.counters.totals().tcp_rx, 7U);
  EXPECT_EQ(f.counters.totals().tcp_tx, 8U);
}

TEST(PortalTcpRelay, Section11_3_TheTargetsEndComesFirst) {
  Fixture f;
  f.start();
  f.target.peer.send("banner");
  f.target.peer.half_close();
  f.expect_at(f.client.peer, "banner");
  f.expect_end_at(f.client.peer);
  f.client.peer.send("still talking");
  f.expect_at(f.target.peer, "still talking");
  f.client.peer.half_close();
  EXPECT_EQ(f.end().cause, Cause::both_ended);
}

TEST(PortalTcpRelay, Section11_2_BytesBehindTheRequestGoFirst) {
  Fixture f;
  f.client.peer.send("second");
  f.start("first ");
  f.expect_at(f.target.peer, "first second");
  f.client.peer.half_close();
  f.target.peer.half_close();
  EXPECT_EQ(f.end().uplink, 12U);
}

TEST(PortalTcpRelay, Section11_2_BulkInBothDirectionsArrivesWhole) {
  Fixture f;
  const std::string up = portunus::test::noise(3'000'000, 1);
  const std::string down = portunus::test::noise(3'000'000, 2);
  f.start();
  std::size_t sent_up = 0;
  std::size_t sent_down = 0;
  std::string at_target;
  std::string at_client;
  f.io.run_until([&] {
    sent_up += f.client.peer.send_what_fits(up.substr(sent_up, 200000));
    sent_down += f.target.peer.send_what_fits(down.substr(sent_down, 200000));
    at_target += received_now(f.target.peer.fd());
    at_client += received_now(f.client.peer.fd());
    return at_target.size() == up.size() && at_client.size() == down.size();
  });
  EXPECT_TRUE(at_target == up);
  EXPECT_TRUE(at_client == down);
  f.client.peer.half_close();
  f.target.peer.half_close();
  EXPECT_EQ(f.end().cause, Cause::both_ended);
}

TEST(PortalTcpRelay, Section11_2_WhoWaitsHoldsNoBuffer) {
  Fixture f;
  f.start();
  for (int i = 0; i < 3; ++i) {
    f.client.peer.send("ping");
    f.expect_at(f.target.peer, "ping");
    f.target.peer.send("pong");
    f.expect_at(f.client.peer, "pong");
  }
  // Both directions used the same one, one after the other, and gave it back.
  f.io.run_until([&] { return f.buffers.spare() == 1; });
  f.client.peer.half_close();
  f.target.peer.half_close();
  EXPECT_EQ(f.end().cause, Cause::both_ended);
}

TEST(PortalTcpRelay, Section15_ABufferThatMemoryDoesNotHoldEndsTheRelay) {
  Fixture f(0, 0, std::size_t{1} << 62);
  f.start();
  f.client.peer.send("too much");
  const RelayEnd end = f.end();
  EXPECT_EQ(end.cause, Cause::failed);
  ASSERT_TRUE(end.error);
  EXPECT_TRUE(*end.error == Errc::no_memory);
}

TEST(PortalTcpRelay, Section11_3_TheOtherHalfGoesOnForTheGraceHoweverBusy) {
  Fixture f;
  f.terms.half_close_grace = 200ms;
  f.start();
  const auto begin = std::chrono::steady_clock::now();
  f.client.peer.half_close();
  f.io.run_until([&] {
    f.target.peer.send_what_fits("busy");
    received_now(f.client.peer.fd());
    return f.result->has_value();
  });
  EXPECT_EQ((*f.result)->cause, Cause::grace_expired);
  EXPECT_FALSE((*f.result)->error) << "a normal end";
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 200ms);
}

TEST(PortalTcpRelay, Section11_4_AResetOfTheTargetEndsBothAtOnce) {
  Fixture f;
  f.start();
  f.io.poll();
  f.target.peer.reset();
  const RelayEnd end = f.end();
  EXPECT_EQ(end.cause, Cause::failed);
  EXPECT_EQ(f.client.peer.receive_all(), "") << "the client's connection is closed";
}

TEST(PortalTcpRelay, Section11_4_AResetOfTheClientEndsBothAtOnce) {
  Fixture f;
  f.start();
  f.io.poll();
  f.client.peer.reset();
  EXPECT_EQ(f.end().cause, Cause::failed);
  EXPECT_EQ(f.target.peer.receive_all(), "");
}

TEST(PortalTcpRelay, Section11_4_ATruncatedClientIsAnErrorNoEnd) {
  Fixture f;
  TruncatedStream client;
  f.result = f.io.start(relay_tcp(client, *f.target.stream, {}, f.terms));
  const RelayEnd end = f.end();
  EXPECT_EQ(end.cause, Cause::failed);
  ASSERT_TRUE(end.error);
  EXPECT_TRUE(*end.error == Errc::truncated);
  EXPECT_TRUE(client.aborted);
}

TEST(PortalTcpRelay, Section15_ABufferOfZeroSeesTheEndAtOnce) {
  Fixture f(0, 0, 0);
  f.client.peer.send("never seen");
  f.start("early");
  const RelayEnd end = f.end();
  EXPECT_EQ(end.cause, Cause::both_ended);
  EXPECT_EQ(end.uplink, 0U);
  EXPECT_EQ(f.target.peer.receive_all(), "");
  EXPECT_EQ(f.client.peer.receive_all(), "");
}

TEST(PortalTcpRelay, Section14_ChunksWaitForTheirInstant) {
  Fixture f(1000, 0);
  f.start();
  const auto begin = std::chrono::steady_clock::now();
  f.client.peer.send(std::string(200, 'x'));
  f.expect_at(f.target.peer, std::string(200, 'x'));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 200ms);
  EXPECT_EQ(f.counters.totals().tcp_rx, 200U);
  f.client.peer.half_close();
  f.target.peer.half_close();
  f.end();
}

TEST(PortalTcpRelay, Section4_UplinkCountsBeforeTheLimiterDownlinkAfterTheWrite) {
  Fixture f(0, 1);
  f.start();
  f.client.peer.send(std::string(1000, 'x'));
  f.target.peer.send(std::string(1000, 'x'));
  f.io.run_until([&] { return f.counters.totals().tcp_rx == 1000; });
  f.io.poll();
  EXPECT_EQ(f.counters.totals().tcp_tx, 0U) << "asleep before the write";
  f.client.peer.reset();
  f.end();
}

TEST(PortalTcpRelay, Section11_4_AnErrorInterruptsThePacingOfTheOtherSide) {
  Fixture f(1, 0);
  f.start();
  f.client.peer.send(std::string(100, 'x'));
  f.io.run_until([&] { return f.counters.totals().tcp_rx == 100; });
  f.target.peer.reset();
  EXPECT_EQ(f.end().cause, Cause::failed) << "and not after a hundred seconds";
}

TEST(PortalTcpRelay, Section11_4_NoPaceBeginsWhenAllIsStopped) {
  {
    Fixture f(1, 1);
    LateStream client;
    f.result = f.io.start(relay_tcp(client, *f.target.stream, {}, f.terms));
    f.io.poll();
    f.target.peer.reset();
    EXPECT_EQ(f.end().cause, Cause::failed) << "and not after nine hours";
  }
  Fixture f(1, 1);
  LateStream target;
  f.result = f.io.start(relay_tcp(*f.client.stream, target, {}, f.terms));
  f.io.poll();
  f.client.peer.reset();
  EXPECT_EQ(f.end().cause, Cause::failed);
}

TEST(PortalTcpRelay, Section17_CancellationStopsARelayThatIsIdle) {
  Fixture f;
  async::Gate gate(f.io.executor());
  std::optional<RelayEnd> end;
  const auto task = [](Fixture& fixture, std::optional<RelayEnd>& out) -> async::Task<void> {
    out = co_await relay_tcp(*fixture.client.stream, *fixture.target.stream, {}, fixture.terms);
  };
  gate.spawn(task(f, end));
  f.io.poll();
  gate.request_stop();
  f.io.run_until([&] { return gate.idle(); });
  ASSERT_TRUE(end);
  EXPECT_EQ(end->cause, Cause::stopped);
  EXPECT_EQ(f.client.peer.receive_all(), "");
}

TEST(PortalTcpRelay, Section17_CancellationStopsARelayThatIsBlockedOrPaced) {
  Fixture f(1, 0);
  async::Gate gate(f.io.executor());
  std::optional<RelayEnd> end;
  const auto task = [](Fixture& fixture, std::optional<RelayEnd>& out) -> async::Task<void> {
    out = co_await relay_tcp(*fixture.client.stream, *fixture.target.stream, {}, fixture.terms);
  };
  gate.spawn(task(f, end));
  f.client.peer.send(std::string(1000, 'x'));
  // Nobody reads at the client's far end, so the downlink is stuck in a write.
  const std::string block = portunus::test::noise(1 << 20, 3);
  std::size_t quiet = 0;
  f.io.run_until([&] {
    quiet = f.target.peer.send_what_fits(block) == 0 ? quiet + 1 : 0;
    return quiet > 5;
  });
  gate.request_stop();
  f.io.run_until([&] { return gate.idle(); });
  ASSERT_TRUE(end);
  EXPECT_EQ(end->cause, Cause::stopped);
}

}  // namespace
}  // namespace portunus::portal::relay
