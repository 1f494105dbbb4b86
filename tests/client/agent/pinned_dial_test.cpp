// Dialing: the pin, and peers that break off, stay silent or vanish (control-wire 1.1, 1.2).

#include <gtest/gtest.h>

#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <string>

#include "tests/client/agent/agent_life.hpp"
#include "tests/client/agent/events.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/support/raw_tls_server.hpp"

namespace portunus::client::agent {
namespace {

using log::Event;
using std::chrono::milliseconds;
using test::eventually;
using test::FakeControlServer;
using test::RawTlsServer;
using Stream = FakeControlServer::Stream;

std::string pin_of(const crypto::CertificatePair& pair) {
  return *crypto::certificate_fingerprint(pair.certificate_pem);
}

class PinnedDialTest : public testing::Test {
 protected:
  test::LogCapture log;
  FakeEngine engine;
};

TEST_F(PinnedDialTest, a_wrong_certificate_gets_no_byte_and_is_final) {
  for (const bool tls12 : {false, true}) {
    RawTlsServer server({.pair = test::test_pair(), .tls12_only = tls12});
    const std::string expected(64, 'e');
    AgentLife life(engine, bundle_for(server.port(), expected), quick_options());
    EXPECT_EQ(life.end(), Agent::End::pin_mismatch);
    ASSERT_TRUE(eventually([&] { return server.finished() == 1; }));
    EXPECT_EQ(server.received(), "");
    EXPECT_EQ(server.handshakes(), 0);  // the server never saw one complete
    EXPECT_EQ(server.connections(), 1);
    EXPECT_TRUE(
        has(log, Event::control_tls_pinned_mismatch,
            R"("expected":")" + expected + R"(","got":")" + pin_of(test::test_pair()) + "\""));
  }
  EXPECT_FALSE(has(log, Event::control_tls_pinned));
  EXPECT_FALSE(has(log, Event::control_connect_failed));
}

TEST_F(PinnedDialTest, the_pinned_certificate_without_its_key_is_no_match) {
  for (const bool tls12 : {false, true}) {
    RawTlsServer server({.pair = test::test_pair(), .tls12_only = tls12, .forged_key = true});
    AgentLife life(engine, bundle_for(server.port(), pin_of(test::test_pair())), quick_options());
    // What OpenSSL says of a signature that does not verify.
    ASSERT_TRUE(eventually([&] {
      return has(log, Event::control_connect_failed, "TLS handshake failed: bad signature");
    })) << log.lines().back();
    EXPECT_EQ(server.handshakes(), 0);
    EXPECT_EQ(server.received(), "");
  }
  EXPECT_FALSE(has(log, Event::control_tls_pinned));
}

TEST_F(PinnedDialTest, a_server_without_http2_is_left) {
  RawTlsServer server({.pair = test::test_pair(), .select_h2 = false});
  AgentLife life(engine, bundle_for(server.port(), pin_of(test::test_pair())), quick_options());
  EXPECT_TRUE(
      eventually([&] { return has(log, Event::control_connect_failed, "did not select HTTP/2"); }));
  EXPECT_EQ(server.received(), "");
}

TEST_F(PinnedDialTest, the_server_name_is_a_name_or_absent) {
  RawTlsServer server({.pair = test::test_pair()});
  {
    AgentLife life(engine, bundle_for(server.port(), pin_of(test::test_pair()), "localhost"),
                   quick_options());
    ASSERT_TRUE(eventually([&] { return server.handshakes() >= 1; }));
    EXPECT_EQ(server.server_name(), "localhost");
  }
  const int before = server.handshakes();
  AgentLife life(engine, bundle_for(server.port(), pin_of(test::test_pair())), quick_options());
  ASSERT_TRUE(eventually([&] { return server.handshakes() > before; }));
  EXPECT_EQ(server.server_name(), "");
}

TEST_F(PinnedDialTest, a_silent_server_is_left_after_the_setup_budget) {
  RawTlsServer server({.pair = test::test_pair(), .mute = true});
  AgentOptions options = quick_options();
  options.setup_budget = milliseconds(100);
  AgentLife life(engine, bundle_for(server.port(), pin_of(test::test_pair())), options);
  EXPECT_TRUE(eventually([&] { return server.connections() >= 3; }));
  EXPECT_TRUE(has(log, Event::control_connect_failed, "timed out"));
}

TEST_F(PinnedDialTest, a_stop_interrupts_the_dial_wherever_it_is) {
  RawTlsServer server({.pair = test::test_pair(), .mute = true});
  AgentOptions options = quick_options();
  options.setup_budget = std::chrono::hours(1);
  for (int round = 0; round < 40; ++round) {
    AgentLife life(engine, bundle_for(server.port(), pin_of(test::test_pair())), options);
    if (round % 2 == 0) {
      ASSERT_TRUE(eventually([&] { return server.connections() > round / 2; }));
    }
    life.request_stop();
    ASSERT_EQ(life.end(), Agent::End::stopped);
  }
}

TEST_F(PinnedDialTest, nobody_there_is_retried) {
  const auto port = RawTlsServer({.pair = test::test_pair()}).port();
  AgentLife life(engine, bundle_for(port, std::string(64, 'a')), quick_options());
  EXPECT_TRUE(
      eventually([&] { return count(log, Event::control_connect_failed, "refused") >= 3; }));
  EXPECT_TRUE(has(log, Event::control_connecting, "\"attempt\":3,"));
}

TEST_F(PinnedDialTest, a_name_without_an_address_is_retried) {
  AgentLife life(engine, bundle_for(1, std::string(64, 'a'), "no-such-host.invalid"),
                 quick_options());
  EXPECT_TRUE(eventually(
      [&] { return has(log, Event::control_connect_failed, "name resolution failed"); }));
}

/// Forwards bytes between a client and a server until told to hold everything back.
class Relay {
 public:
  explicit Relay(std::uint16_t target)
      : target_(target), acceptor_(io_, {boost::asio::ip::make_address("127.0.0.1"), 0}) {
    boost::asio::co_spawn(io_, accept(), boost::asio::detached);
    thread_ = std::thread([this] { io_.run(); });
  }
  ~Relay() {
    io_.stop();
    thread_.join();
  }
  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  /// Connections made so far carry nothing from now on.
  void black_hole() { hold_before_ = connections_.load(); }
  int connections() const { return connections_; }

 private:
  using Socket = boost::asio::ip::tcp::socket;
  using Pair = std::shared_ptr<std::pair<Socket, Socket>>;

  async::Task<> accept() {
    for (;;) {
      auto [ec, socket] = co_await acceptor_.async_accept(async::kTuple);
      if (ec) co_return;
      auto pair = std::make_shared<std::pair<Socket, Socket>>(std::move(socket), Socket(io_));
      const auto [failed] = co_await pair->second.async_connect(
          {boost::asio::ip::make_address("127.0.0.1"), target_}, async::kTuple);
      if (failed) continue;
      const int number = connections_++;
      boost::asio::co_spawn(io_, copy(pair, true, number), boost::asio::detached);
      boost::asio::co_spawn(io_, copy(pair, false, number), boost::asio::detached);
    }
  }
  async::Task<> copy(Pair pair, bool forth, int number) {
    Socket& from = forth ? pair->first : pair->second;
    Socket& to = forth ? pair->second : pair->first;
    char buffer[4096];
    for (;;) {
      const auto [ec, n] =
          co_await from.async_read_some(boost::asio::buffer(buffer), async::kTuple);
      if (ec) co_return;
      if (number < hold_before_) continue;
      const auto [failed, done] =
          co_await boost::asio::async_write(to, boost::asio::buffer(buffer, n), async::kTuple);
      if (failed) co_return;
    }
  }

  std::uint16_t target_;
  boost::asio::io_context io_{1};
  boost::asio::ip::tcp::acceptor acceptor_;
  std::atomic<int> connections_{0};
  std::atomic<int> hold_before_{0};
  std::thread thread_;
};

TEST_F(PinnedDialTest, a_vanished_server_is_noticed_by_the_pings_and_dialled_again) {
  std::atomic<int> welcomed{0};
  FakeControlServer server(test::test_pair(), [&](Stream& stream) {
    stream.welcome();
    stream.push("r", 7, 8080);
    stream.replay_complete();
    stream.status();
    ++welcomed;
    stream.read_to_end();
    return grpc::Status::OK;
  });
  Relay relay(server.port());
  AgentOptions options = quick_options();
  options.ping_interval = milliseconds(50);
  options.ping_timeout = milliseconds(100);
  AgentLife life(engine, bundle_for(relay.port(), server.pin()), options);
  ASSERT_TRUE(eventually([&] { return welcomed == 1; }));
  relay.black_hole();
  ASSERT_TRUE(eventually([&] { return welcomed == 2; }));
  EXPECT_TRUE(has(log, Event::control_stream_error));
  EXPECT_TRUE(has(log, Event::control_disconnected));
  EXPECT_EQ(engine.calls(), (std::vector<std::string>{"activate 7 10.0.0.1:80"}));
}

}  // namespace
}  // namespace portunus::client::agent
