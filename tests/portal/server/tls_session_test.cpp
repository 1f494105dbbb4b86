// Portal contract 9, 10, 11 and 13 over TLS/TCP, against a real Portal with real sockets.

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "portal/protocol/uot.hpp"
#include "tests/dataplane/support/sockets.hpp"
#include "tests/portal/support/running_portal.hpp"
#include "tests/portal/support/tls_client.hpp"

namespace portunus::portal::server {
namespace {

using namespace std::chrono_literals;
using portunus::test::Acceptor;
using portunus::test::eventually;
using portunus::test::noise;
using portunus::test::RunningPortal;
using portunus::test::Server;
using portunus::test::Socket;
using portunus::test::TlsClient;
using End = TlsClient::End;
using Clock = std::chrono::steady_clock;

TlsClient connected(RunningPortal& portal) {
  TlsClient client(portal.port());
  EXPECT_TRUE(client.handshake());
  return client;
}

TEST(PortalTlsSession, Section10_AuthRequestAndPayloadInOneFlight) {
  RunningPortal portal;
  portal.start();
  Server echo;
  TlsClient client = connected(portal);
  ASSERT_TRUE(client.send(portal.opening(echo.port()) + "hello"));
  EXPECT_EQ(client.receive(5), "hello");
  client.half_close();
  EXPECT_EQ(client.receive_all(), "");
  EXPECT_EQ(client.end(), End::close_notify);
  EXPECT_TRUE(eventually([&] {
    return portal.counter("TCPS") == 0 && portal.counter("TCPRX") == 5 &&
           portal.counter("TCPTX") == 5;
  }));
  EXPECT_TRUE(portal.logged("INFO")) << "start and finish of the relay";
}

TEST(PortalTlsSession, Section10_EveryByteInAPieceOfItsOwn) {
  RunningPortal portal;
  portal.start();
  Server echo;
  TlsClient client = connected(portal);
  for (const char byte : portal.opening(echo.port()) + "xyz") {
    ASSERT_TRUE(client.send(std::string(1, byte)));
  }
  EXPECT_EQ(client.receive(3), "xyz");
}

TEST(PortalTlsSession, Section11_BulkArrivesWholeBothWays) {
  RunningPortal portal;
  portal.start();
  Server echo;
  TlsClient client = connected(portal);
  const std::string data = noise(4 << 20, 7);
  ASSERT_TRUE(client.send(portal.opening(echo.port())));
  std::size_t at = 0;
  while (at < data.size()) {
    const std::string part = data.substr(at, 200'000);
    ASSERT_TRUE(client.send(part));
    ASSERT_TRUE(client.receive(part.size()) == part);
    at += part.size();
  }
}

TEST(PortalTlsSession, Section11_3_TheTargetsEndBecomesCloseNotifyAndTheUplinkGoesOn) {
  RunningPortal portal;
  portal.start();
  Acceptor target;
  TlsClient client = connected(portal);
  ASSERT_TRUE(client.send(portal.opening(target.port())));
  Socket accepted = target.accept();
  accepted.send("bye");
  accepted.half_close();
  EXPECT_EQ(client.receive_all(), "bye");
  EXPECT_EQ(client.end(), End::close_notify);
  ASSERT_TRUE(client.send("late"));
  EXPECT_EQ(accepted.receive(4), "late");
  client.send_close_notify();
  EXPECT_EQ(accepted.receive_all(), "");
  EXPECT_EQ(accepted.error(), 0);
  EXPECT_TRUE(eventually([&] { return portal.counter("TCPS") == 0; }));
}

TEST(PortalTlsSession, Section11_3_TheGraceEndsABusyHalf) {
  RunningPortal portal;
  portal.tuning.tcp_read_timeout = 300ms;
  portal.start();
  Acceptor target;
  TlsClient client = connected(portal);
  ASSERT_TRUE(client.send(portal.opening(target.port())));
  Socket accepted = target.accept();
  const auto begin = Clock::now();
  client.half_close();
  EXPECT_EQ(accepted.receive_all(), "");
  while (accepted.send("busy")) client.receive(1);
  EXPECT_GE(Clock::now() - begin, 300ms);
  EXPECT_TRUE(eventually([&] { return portal.counter("TCPS") == 0; }));
}

TEST(PortalTlsSession, Section11_4_AnEndWithoutCloseNotifyTearsTheRelayDown) {
  RunningPortal portal;
  portal.start();
  Acceptor target;
  TlsClient client = connected(portal);
  ASSERT_TRUE(client.send(portal.opening(target.port()) + "x"));
  Socket accepted = target.accept();
  EXPECT_EQ(accepted.receive(1), "x");
  client.socket().half_close();
  accepted.receive_all();
  EXPECT_EQ(client.receive_all(), "");
  EXPECT_NE(client.end(), End::close_notify);
}

TEST(PortalTlsSession, Section11_4_AResetOfEitherSideEndsBoth) {
  RunningPortal portal;
  portal.start();
  Acceptor target;
  TlsClient client = connected(portal);
  ASSERT_TRUE(client.send(portal.opening(target.port())));
  Socket accepted = target.accept();
  accepted.reset();
  EXPECT_EQ(client.receive_all(), "");
  EXPECT_NE(client.end(), End::close_notify);

  TlsClient second = connected(portal);
  ASSERT_TRUE(second.send(portal.opening(target.port())));
  Socket other = target.accept();
  second.socket().reset();
  EXPECT_EQ(other.receive_all(), "");
  EXPECT_TRUE(eventually([&] { return portal.counter("TCPS") == 0; }));
}

TEST(PortalTlsSession, Section11_1_ARefusedTargetClosesWithoutBytes) {
  RunningPortal portal;
  portal.start();
  TlsClient client = connected(portal);
  ASSERT_TRUE(client.send(portal.opening(portunus::test::refused_port())));
  EXPECT_EQ(client.receive_all(), "");
  EXPECT_TRUE(eventually([&] { return portal.logged("ERROR") && portal.counter("TCPS") == 0; }));
}

TEST(PortalTlsSession, Section11_1_AStallingTargetIsCountedAndGivenUp) {
  RunningPortal portal;
  portal.tuning.tcp_dial_timeout = 1s;
  portal.start();
  portunus::test::SilentTarget silent;
  TlsClient client = connected(portal);
  const auto begin = Clock::now();
  ASSERT_TRUE(client.send(portal.opening(silent.port())));
  EXPECT_TRUE(eventually([&] { return portal.counter("TCPS") == 1; })) << "before dialling";
  EXPECT_EQ(client.receive_all(), "");
  EXPECT_GE(Clock::now() - begin, 1s);
  EXPECT_TRUE(eventually([&] { return portal.counter("TCPS") == 0; }));
}

/// The client's view of a failed authentication: how long it took, and how it ended.
std::pair<Clock::duration, End> rejected(TlsClient& client, Clock::time_point begin) {
  EXPECT_EQ(client.receive_all(), "");
  return {Clock::now() - begin, client.end()};
}

TEST(PortalAuthentication, Section9_AWrongTagIsAnsweredByNothingUntilTheDeadline) {
  RunningPortal portal;
  portal.tuning.handshake_timeout = 500ms;
  portal.start();
  for (const std::size_t wrong :
       {std::size_t{0}, std::size_t{32}, std::size_t{40}, std::size_t{77}}) {
    const auto begin = Clock::now();
    TlsClient client = connected(portal);
    std::string frame = portal.auth_frame();
    frame[wrong] = static_cast<char>(frame[wrong] ^ 1);
    ASSERT_TRUE(client.send(frame));
    const auto [took, end] = rejected(client, begin);
    EXPECT_GE(took, 390ms) << wrong;
    EXPECT_LE(took, 2s) << wrong;
    EXPECT_EQ(end, End::eof) << "the socket is dropped without a TLS record";
  }
  EXPECT_TRUE(portal.logged("protocol::crypto::validate_auth_frame: invalid authentication frame"));
  EXPECT_EQ(portal.counter("POOL"), 0);
}

TEST(PortalAuthentication, Section9_AShortFrameAndADribbleEndAtTheSameDeadline) {
  RunningPortal portal;
  portal.tuning.handshake_timeout = 500ms;
  portal.start();
  const auto begin = Clock::now();
  TlsClient cut = connected(portal);
  ASSERT_TRUE(cut.send(portal.auth_frame().substr(0, 20)));
  cut.send_close_notify();
  const auto [cut_took, cut_end] = rejected(cut, begin);
  EXPECT_GE(cut_took, 390ms) << "an early end is no reason for an early close";
  EXPECT_EQ(cut_end, End::eof);

  TlsClient slow = connected(portal);
  const auto slow_begin = Clock::now();
  const std::string frame = portal.auth_frame();
  for (std::size_t i = 0; i + 1 < frame.size(); ++i) {
    if (!slow.send(frame.substr(i, 1))) break;
    eventually([] { return false; }, 10ms);
  }
  EXPECT_EQ(slow.receive_all(), "");
  EXPECT_LE(Clock::now() - slow_begin, 3s) << "bytes do not move the deadline";
}

TEST(PortalAuthentication, Section9_AnInvalidRecordBringsNoAlert) {
  RunningPortal portal;
  portal.tuning.handshake_timeout = 300ms;
  portal.start();
  const auto begin = Clock::now();
  TlsClient client = connected(portal);
  client.socket().send(std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'x'));
  const auto [took, end] = rejected(client, begin);
  EXPECT_GE(took, 200ms);
  EXPECT_NE(end, End::alert);
  EXPECT_EQ(client.alert(), -1);
}

TEST(PortalAuthentication, Section9_APeerThatVanishesKeepsItsPlaceUntilItsDeadline) {
  RunningPortal portal;
  portal.tuning.handshake_timeout = 4s;
  portal.start();
  std::vector<TlsClient> waiting;
  for (int i = 0; i < 32; ++i) waiting.push_back(connected(portal));
  const auto begin = Clock::now();
  waiting.clear();
  Socket refused = Socket::connect_v4(portal.port());
  EXPECT_EQ(refused.receive_all(), "") << "the 33rd is closed without a byte";
  EXPECT_LT(Clock::now() - begin, 2s);
  EXPECT_TRUE(portal.logged("too many"));
  EXPECT_TRUE(eventually([&] {
    TlsClient again(portal.port());
    return again.handshake();
  })) << "places come back";
}

/// The record of the end is in the same segment as the last bytes, and no FIN follows it.
TEST(PortalTlsRelay, Section11_3_AnEndThatComesWithTheLastBytesIsSeen) {
  Acceptor target;
  RunningPortal portal;
  portal.start();
  TlsClient client(portal.port());
  ASSERT_TRUE(client.handshake());
  ASSERT_TRUE(client.send(portal.opening(target.port()) + "first"));
  Socket far = target.accept();
  EXPECT_EQ(far.receive(5), "first");
  int cork = 1;
  ASSERT_EQ(::setsockopt(client.socket().fd(), IPPROTO_TCP, TCP_CORK, &cork, sizeof cork), 0);
  ASSERT_TRUE(client.send("last"));
  client.send_close_notify();
  cork = 0;
  ASSERT_EQ(::setsockopt(client.socket().fd(), IPPROTO_TCP, TCP_CORK, &cork, sizeof cork), 0);
  EXPECT_EQ(far.receive_all(), "last");
  EXPECT_EQ(far.error(), 0) << "a clean end, and not the end of anybody's patience";
}

TEST(PortalAuthentication, Section9_AFloodOfRefusalsIsCountedAndNotRecordedOneByOne) {
  RunningPortal portal;
  portal.tuning.handshake_timeout = 60s;
  portal.start();
  std::vector<Socket> waiting;
  for (int i = 0; i < 32; ++i) waiting.push_back(Socket::connect_v4(portal.port()));
  const auto refuse_one = [&] {
    Socket refused = Socket::connect_v4(portal.port());
    EXPECT_EQ(refused.receive_all(), "");
  };
  const auto begin = Clock::now();
  for (int i = 0; i < 40; ++i) refuse_one();
  EXPECT_TRUE(eventually([&] {
    refuse_one();
    return portal.logged("more refusals are not recorded");
  }));
  const std::int64_t records = portal.times_logged("too many connections without authentication");
  EXPECT_GE(records, 10);
  EXPECT_LE(records, 11 + (Clock::now() - begin) / 1s);
}

TEST(PortalAuthentication, Section9_SuccessFreesThePlaceAtOnce) {
  RunningPortal portal;
  portal.start();
  std::vector<TlsClient> pool;
  for (int i = 0; i < 70; ++i) {
    pool.push_back(connected(portal));
    ASSERT_TRUE(pool.back().send(portal.auth_frame()));
    if (i % 16 == 15) {
      ASSERT_TRUE(eventually([&] { return portal.counter("POOL") == i + 1; }));
    }
  }
  EXPECT_TRUE(eventually([&] { return portal.counter("POOL") == 70; }));
  pool.clear();
  EXPECT_TRUE(eventually([&] { return portal.counter("POOL") == 0; }));
  EXPECT_FALSE(portal.logged("ERROR")) << "leaving the pool is no failure";
}

TEST(PortalAuthentication, Section9_AHandshakeThatStallsOrFailsIsClosed) {
  RunningPortal portal;
  portal.tuning.handshake_timeout = 2s;
  portal.start();
  const auto begin = Clock::now();
  Socket silent = Socket::connect_v4(portal.port());
  EXPECT_EQ(silent.receive_all(), "");
  EXPECT_GE(Clock::now() - begin, 1990ms) << "without jitter";
  Socket garbage = Socket::connect_v4(portal.port());
  garbage.send("GET / HTTP/1.1\r\n\r\n");
  const auto garbage_begin = Clock::now();
  garbage.receive_all();
  EXPECT_LT(Clock::now() - garbage_begin, 1s) << "at once";
}

TEST(PortalAuthentication, Section15_AHandshakeTimeOfZeroFailsAll) {
  RunningPortal portal;
  portal.tuning.handshake_timeout = 0s;
  portal.start();
  TlsClient client(portal.port());
  if (client.handshake()) client.send(portal.auth_frame());
  EXPECT_EQ(client.receive_all(), "");
  EXPECT_EQ(portal.counter("POOL"), 0);
}

TEST(PortalPool, Section10_ExpiryClosesWithoutData) {
  RunningPortal portal;
  portal.options.request_window = 300ms;
  portal.start();
  TlsClient client = connected(portal);
  const auto begin = Clock::now();
  ASSERT_TRUE(client.send(portal.auth_frame()));
  EXPECT_TRUE(eventually([&] { return portal.counter("POOL") == 1; }));
  EXPECT_EQ(client.receive_all(), "");
  EXPECT_GE(Clock::now() - begin, 300ms);
  EXPECT_TRUE(eventually([&] { return portal.counter("POOL") == 0; }));
  EXPECT_FALSE(portal.logged("ERROR"));
}

TEST(PortalPool, Section10_ADribbledRequestDoesNotMoveTheWindow) {
  RunningPortal portal;
  portal.options.request_window = 300ms;
  portal.start();
  TlsClient client = connected(portal);
  ASSERT_TRUE(client.send(portal.auth_frame()));
  const std::string request = portal.request("127.0.0.1:1");
  const auto begin = Clock::now();
  for (std::size_t i = 0; i + 1 < request.size() && client.send(request.substr(i, 1)); ++i) {
    eventually([] { return false; }, 20ms);
  }
  EXPECT_EQ(client.receive_all(), "");
  EXPECT_LT(Clock::now() - begin, 5s);
}

TEST(PortalPool, Section10_ABadRequestIsClosedAtOnceAsAnError) {
  RunningPortal portal;
  portal.start();
  TlsClient client = connected(portal);
  std::string request = portal.request("example.com:443");
  request[20] = static_cast<char>(request[20] ^ 1);
  const auto begin = Clock::now();
  ASSERT_TRUE(client.send(portal.auth_frame() + request));
  EXPECT_EQ(client.receive_all(), "");
  EXPECT_LT(Clock::now() - begin, 2s) << "no delay";
  EXPECT_TRUE(eventually([&] { return portal.logged("ERROR"); }));
  TlsClient cut = connected(portal);
  ASSERT_TRUE(cut.send(portal.auth_frame() + request.substr(0, 5)));
  cut.half_close();
  EXPECT_EQ(cut.receive_all(), "");
}

std::string uot_frame(const std::string& payload) {
  return std::string{static_cast<char>(payload.size() >> 8), static_cast<char>(payload.size())} +
         payload;
}

/// Echoes UDP packets until destroyed.
class UdpEcho {
 public:
  UdpEcho() : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_storage address;
    const socklen_t size =
        net::Endpoint(*net::IpAddress::parse("127.0.0.1"), 0).to_sockaddr(address);
    ::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), size);
    socklen_t got = sizeof address;
    ::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &got);
    endpoint_ = *net::Endpoint::from_sockaddr(address);
    const timeval tick{.tv_sec = 0, .tv_usec = 20000};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &tick, sizeof tick);
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
  std::string target() const { return endpoint_.text(); }

 private:
  void run(const std::stop_token& stop) {
    char packet[65536];
    while (!stop.stop_requested()) {
      sockaddr_storage from;
      socklen_t size = sizeof from;
      const ssize_t n = ::recvfrom(fd_.get(), packet, sizeof packet, 0,
                                   reinterpret_cast<sockaddr*>(&from), &size);
      if (n < 0) continue;
      ::sendto(fd_.get(), packet, static_cast<std::size_t>(n), 0,
               reinterpret_cast<const sockaddr*>(&from), size);
    }
  }
  net::UniqueFd fd_;
  net::Endpoint endpoint_;
  std::jthread thread_;
};

TEST(PortalUot, Section19_7_PipelinedInOneWriteEchoes) {
  RunningPortal portal;
  portal.start();
  UdpEcho echo;
  TlsClient client = connected(portal);
  ASSERT_TRUE(client.send(portal.auth_frame() + portal.request("uot.nowhere.invalid:0") +
                          uot_frame(echo.target()) + uot_frame("abc")));
  EXPECT_EQ(client.receive(5), uot_frame("abc"));
  EXPECT_TRUE(eventually([&] {
    return portal.counter("UDPS") == 1 && portal.counter("UDPRX") == 3 &&
           portal.counter("UDPTX") == 3;
  }));
  EXPECT_EQ(portal.counter("TCPS"), 0);
  client.half_close();
  EXPECT_EQ(client.receive_all(), "");
  EXPECT_EQ(client.end(), End::close_notify);
  EXPECT_TRUE(eventually([&] { return portal.counter("UDPS") == 0; }));
}

TEST(PortalUot, Section13_TheSetupFrameHasTheHandshakesTime) {
  RunningPortal portal;
  portal.tuning.handshake_timeout = 500ms;
  portal.start();
  TlsClient client = connected(portal);
  const auto begin = Clock::now();
  ASSERT_TRUE(client.send(portal.auth_frame() + portal.request("uot.nowhere.invalid:0") +
                          uot_frame("127.0.0.1:53").substr(0, 6)));
  EXPECT_EQ(client.receive_all(), "");
  EXPECT_GE(Clock::now() - begin, 490ms);
  EXPECT_TRUE(eventually([&] { return portal.logged("no setup frame in time"); }));
}

TEST(PortalUot, Section13_ATargetThatCannotBeDialledClosesTheConnection) {
  RunningPortal portal;
  portal.start();
  TlsClient client = connected(portal);
  ASSERT_TRUE(client.send(portal.auth_frame() + portal.request("uot.nowhere.invalid:0") +
                          uot_frame("127.0.0.1:abc")));
  EXPECT_EQ(client.receive_all(), "");
  EXPECT_TRUE(eventually([&] { return portal.logged("ERROR"); }));
}

}  // namespace
}  // namespace portunus::portal::server
