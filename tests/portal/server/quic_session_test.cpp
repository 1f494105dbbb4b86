#include <gtest/gtest.h>

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "portal/protocol/udp_datagram.hpp"
#include "portal/quic/connection.hpp"
#include "portal/quic/endpoint.hpp"
#include "tests/portal/support/running_portal.hpp"
#include "tests/support/test_io.hpp"

namespace portunus::portal::server {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}
std::string text_of(std::span<const std::uint8_t> bytes) {
  return {bytes.begin(), bytes.end()};
}
std::span<const std::uint8_t> octets(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

async::Task<Result<std::string>> read_all(quic::Stream& stream) {
  std::string all;
  std::array<std::byte, 4096> buffer;
  for (;;) {
    const auto n = co_await stream.read_some(buffer);
    if (!n) co_return std::unexpected(n.error());
    if (*n == 0) co_return all;
    all.append(reinterpret_cast<const char*>(buffer.data()), *n);
  }
}

/// TCP and UDP echo on the test's loop.
class Echo {
 public:
  explicit Echo(test::TestIo& io)
      : acceptor_(io.context(), {asio::ip::address_v4::loopback(), 0}),
        datagrams_(io.context(), {asio::ip::address_v4::loopback(), 0}) {
    accept();
    receive();
  }
  std::string tcp() const {
    return "127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port());
  }
  std::string udp() const {
    return "127.0.0.1:" + std::to_string(datagrams_.local_endpoint().port());
  }
  int accepted = 0;
  int packets = 0;

 private:
  struct Client : std::enable_shared_from_this<Client> {
    explicit Client(asio::ip::tcp::socket s) : socket(std::move(s)) {}
    void read() {
      socket.async_read_some(asio::buffer(buffer),
                             [self = shared_from_this()](const auto& ec, std::size_t n) {
                               if (!ec) self->write(n);
                             });
    }
    void write(std::size_t n) {
      asio::async_write(socket, asio::buffer(buffer.data(), n),
                        [self = shared_from_this()](const auto& ec, std::size_t) {
                          if (!ec) self->read();
                        });
    }
    asio::ip::tcp::socket socket;
    std::array<char, 4096> buffer;
  };
  void accept() {
    acceptor_.async_accept([this](const boost::system::error_code& ec, auto socket) {
      if (ec) return;
      ++accepted;
      std::make_shared<Client>(std::move(socket))->read();
      accept();
    });
  }
  void receive() {
    datagrams_.async_receive_from(asio::buffer(packet_), source_,
                                  [this](const boost::system::error_code& ec, std::size_t n) {
                                    if (ec == asio::error::operation_aborted) return;
                                    if (!ec) {
                                      ++packets;
                                      datagrams_.send_to(asio::buffer(packet_.data(), n), source_);
                                    }
                                    receive();
                                  });
  }

  asio::ip::tcp::acceptor acceptor_;
  asio::ip::udp::socket datagrams_;
  asio::ip::udp::endpoint source_;
  std::array<char, 65536> packet_;
};

/// A Portal with a short authentication window, and QUIC clients of it.
class QuicSessionTest : public testing::Test {
 protected:
  QuicSessionTest() {
    portal.config.net = config::Net::udp;
    portal.tuning.handshake_timeout = milliseconds(1000);
    portal.tuning.shutdown_timeout = seconds(3);
  }
  ~QuicSessionTest() override {
    if (client != nullptr) {
      client->request_stop();
      io.run(client->drain(seconds(2)));
    }
    portal.stop();
  }

  std::shared_ptr<quic::Connection> connect() {
    if (client == nullptr) {
      client = quic::Endpoint::client(io.context(), quic::Settings::client());
      if (!client->start()) throw std::runtime_error("client");
    }
    const auto tls = quic::ClientTls::make({.kind = quic::Trust::Kind::anybody});
    auto connection = *client->connect(portal.portal().udp_endpoints().at(0), *tls, "localhost");
    if (!io.run(connection->handshake())) throw std::runtime_error("handshake");
    return connection;
  }

  std::unique_ptr<quic::Stream> send_auth(quic::Connection& connection, const std::string& bytes,
                                          bool finish = true) {
    auto stream = *io.run(connection.open_stream());
    io.run(stream->write_all(bytes_of(bytes)));
    if (finish) stream->finish_now();
    return stream;
  }

  std::shared_ptr<quic::Connection> authenticated() {
    auto connection = connect();
    const auto stream = send_auth(*connection, portal.auth_frame());
    io.run_until([&] { return connection->stream_credit() > 0; });
    return connection;
  }

  std::string datagram(protocol::DatagramType type, std::uint64_t id, const std::string& target,
                       const std::string& payload) {
    std::vector<std::uint8_t> out(protocol::datagram_header_size(target.size()));
    protocol::encode_datagram_header(portal.spec(), type, id, target, out);
    return text_of(out) + payload;
  }

  /// The close that the deadline brings, and how long after `since`, before the handshake, it came.
  void expect_denied(quic::Connection& connection, Clock::time_point since) {
    io.run(connection.ended());
    const auto took = Clock::now() - since;
    EXPECT_EQ(connection.ending()->cause, quic::Errc::closed_by_peer);
    EXPECT_EQ(connection.ending()->code, 1U);
    EXPECT_EQ(connection.ending()->reason, "access denied");
    EXPECT_GE(took, milliseconds(750));
    EXPECT_LE(took, milliseconds(3000));
  }

  test::RunningPortal portal;
  test::TestIo io;
  std::shared_ptr<quic::Endpoint> client;
};

TEST_F(QuicSessionTest, S11_a_request_stream_is_relayed_both_ways_to_its_end) {
  portal.start();
  Echo echo(io);
  const auto connection = authenticated();
  auto stream = *io.run(connection->open_stream());
  ASSERT_TRUE(
      io.run(stream->write_all(bytes_of(portal.request(echo.tcp()) + "hello"))).has_value());
  stream->finish_now();
  EXPECT_EQ(*io.run(read_all(*stream)), "hello");
  io.run_until([&] { return portal.counter("TCPS") == 0; });
}

TEST_F(QuicSessionTest, S9_a_wrong_tag_ends_at_the_deadline_with_access_denied) {
  portal.start();
  const auto since = Clock::now();
  const auto connection = connect();
  std::string frame = portal.auth_frame();
  for (char& byte : frame) byte = static_cast<char>(byte ^ 1);
  const auto stream = send_auth(*connection, frame);
  // Our half is finished at once, without data.
  EXPECT_EQ(*io.run(read_all(*stream)), "");
  EXPECT_EQ(connection->stream_credit(), 0U);
  expect_denied(*connection, since);
  io.run_until([&] {
    return portal.logged("protocol::crypto::validate_auth_frame: invalid authentication frame");
  });
}

TEST_F(QuicSessionTest, S9_bytes_behind_the_frame_are_refused_before_its_contents) {
  portal.start();
  const auto since = Clock::now();
  const auto connection = connect();
  const auto stream = send_auth(*connection, portal.auth_frame() + "x");
  expect_denied(*connection, since);
  io.run_until([&] {
    return portal.logged("protocol::crypto::read_auth_stream: trailing auth stream bytes");
  });
}

TEST_F(QuicSessionTest, S9_no_stream_a_short_frame_and_a_missing_FIN_end_at_the_deadline) {
  portal.start();
  {
    const auto since = Clock::now();
    const auto connection = connect();
    expect_denied(*connection, since);
  }
  {
    const auto since = Clock::now();
    const auto connection = connect();
    const auto stream = send_auth(*connection, portal.auth_frame().substr(1));
    expect_denied(*connection, since);
  }
  {
    const auto since = Clock::now();
    const auto connection = connect();
    const auto stream = send_auth(*connection, portal.auth_frame(), false);
    expect_denied(*connection, since);
  }
}

TEST_F(QuicSessionTest, S9_early_DATAGRAMs_are_delivered_first_and_64_KiB_of_them) {
  portal.start();
  Echo echo(io);
  const auto connection = connect();
  const std::string head = datagram(protocol::DatagramType::request, 1, echo.udp(), "");
  const std::string kilobyte = head + std::string(1024 - head.size(), 'x');
  for (int i = 0; i < 65; ++i) ASSERT_TRUE(connection->send_datagram(octets(kilobyte), {}));
  // They are with the Portal before the frame is.
  const auto until = Clock::now() + milliseconds(200);
  io.run_until([&] { return Clock::now() > until; });
  EXPECT_EQ(echo.packets, 0);
  const auto stream = send_auth(*connection, portal.auth_frame());
  io.run_until([&] { return echo.packets >= 64; });
  const auto late = Clock::now() + milliseconds(200);
  io.run_until([&] { return Clock::now() > late; });
  EXPECT_EQ(echo.packets, 64);
}

TEST_F(QuicSessionTest, S12_flows_answer_with_their_id_and_target_and_end_on_close) {
  portal.start();
  Echo echo(io);
  const auto connection = authenticated();
  using Type = protocol::DatagramType;
  for (std::uint64_t id : {std::uint64_t{7}, std::uint64_t{8}}) {
    ASSERT_TRUE(
        connection->send_datagram(octets(datagram(Type::request, id, echo.udp(), "abc")), {}));
    ASSERT_TRUE(io.run(connection->wait_for_datagram()));
    EXPECT_EQ(text_of(*connection->front_datagram()),
              datagram(Type::response, id, echo.udp(), "abc"));
    connection->pop_datagram();
  }
  io.run_until([&] { return portal.counter("UDPS") == 2; });
  connection->send_datagram(octets(datagram(Type::close, 7, echo.udp(), "")), {});
  io.run_until([&] { return portal.counter("UDPS") == 1; });
  connection->send_datagram(octets("nonsense"), {});
  connection->send_datagram(octets(datagram(Type::response, 8, echo.udp(), "x")), {});
  connection->send_datagram(octets(datagram(Type::request, 8, echo.udp(), "y")), {});
  ASSERT_TRUE(io.run(connection->wait_for_datagram()));
  EXPECT_EQ(text_of(*connection->front_datagram()), datagram(Type::response, 8, echo.udp(), "y"));
}

TEST_F(QuicSessionTest, S12_an_ICMP_error_ends_a_flow_silently_and_idle_time_too) {
  portal.tuning.udp_idle_timeout = milliseconds(1500);
  portal.start();
  const auto connection = authenticated();
  using Type = protocol::DatagramType;
  asio::ip::udp::socket unheard(io.context(), {asio::ip::address_v4::loopback(), 0});
  const std::string silent = "127.0.0.1:" + std::to_string(unheard.local_endpoint().port());
  asio::ip::udp::socket gone(io.context(), {asio::ip::address_v4::loopback(), 0});
  const std::string refused = "127.0.0.1:" + std::to_string(gone.local_endpoint().port());
  gone.close();
  connection->send_datagram(octets(datagram(Type::request, 1, silent, "x")), {});
  io.run_until([&] { return portal.counter("UDPS") == 1; });
  connection->send_datagram(octets(datagram(Type::request, 2, refused, "x")), {});
  io.run_until([&] { return portal.counter("UDPS") == 1 && portal.counter("UDPRX") == 2; });
  io.run_until([&] { return portal.counter("UDPS") == 0; });
}

TEST_F(QuicSessionTest, S10_a_bad_request_and_the_UoT_target_end_their_stream_alone) {
  portal.start();
  Echo echo(io);
  const auto connection = authenticated();
  for (const std::string& request :
       {portal.request("uot.nowhere.invalid:0"), std::string(80, '\xee')}) {
    auto stream = *io.run(connection->open_stream());
    ASSERT_TRUE(io.run(stream->write_all(bytes_of(request))).has_value());
    EXPECT_EQ(*io.run(read_all(*stream)), "");
    // STOP_SENDING, because our half has not ended.
    io.run_until([&] {
      const auto written = io.run(stream->write_all(bytes_of("x")));
      return !written && written.error() == make_error_code(quic::Errc::stream_stopped);
    });
  }
  auto stream = *io.run(connection->open_stream());
  io.run(stream->write_all(bytes_of(portal.request(echo.tcp()) + "z")));
  stream->finish_now();
  EXPECT_EQ(*io.run(read_all(*stream)), "z");
}

TEST_F(QuicSessionTest, S17_a_stop_closes_with_code_0) {
  portal.start();
  const auto connection = authenticated();
  const auto waiting = connect();
  portal.portal().request_stop();
  io.run(connection->ended());
  io.run(waiting->ended());
  for (const auto& ended : {connection, waiting}) {
    EXPECT_EQ(ended->ending()->cause, quic::Errc::closed_by_peer);
    EXPECT_EQ(ended->ending()->code, 0U);
    EXPECT_EQ(ended->ending()->reason, "");
  }
}

TEST_F(QuicSessionTest, S15_the_longest_durations_that_can_be_written_serve_and_stop) {
  portal.tuning = test::longest_tuning();
  portal.start();
  Echo echo(io);
  const auto connection = authenticated();
  auto stream = *io.run(connection->open_stream());
  ASSERT_TRUE(io.run(stream->write_all(bytes_of(portal.request(echo.tcp()) + "x"))).has_value());
  stream->finish_now();
  EXPECT_EQ(*io.run(read_all(*stream)), "x");
  using Type = protocol::DatagramType;
  ASSERT_TRUE(connection->send_datagram(octets(datagram(Type::request, 7, echo.udp(), "abc")), {}));
  ASSERT_TRUE(io.run(connection->wait_for_datagram()));
  const auto waiting = connect();
  client->request_stop();
  io.run(client->drain(seconds(2)));
  client.reset();
  EXPECT_TRUE(portal.stop());
}

TEST_F(QuicSessionTest, S17_sessions_of_a_core_that_is_stuck_are_left_behind) {
  test::CertificateFiles files;
  files.use_in(portal);
  portal.options.cores = 1;
  portal.tuning.shutdown_timeout = milliseconds(200);
  portal.start();
  Echo echo(io);
  const auto connection = authenticated();
  auto stream = *io.run(connection->open_stream());
  ASSERT_TRUE(io.run(stream->write_all(bytes_of(portal.request(echo.tcp()) + "x"))).has_value());
  using Type = protocol::DatagramType;
  ASSERT_TRUE(connection->send_datagram(octets(datagram(Type::request, 7, echo.udp(), "abc")), {}));
  ASSERT_TRUE(io.run(connection->wait_for_datagram()));
  files.hang();
  const auto tls = quic::ClientTls::make({.kind = quic::Trust::Kind::anybody});
  const auto last = client->connect(portal.portal().udp_endpoints().at(0), *tls, "localhost");
  ASSERT_TRUE(last);
  io.run_until([&] { return files.somebody_waits(); });
  const auto begin = Clock::now();
  EXPECT_FALSE(portal.stop());
  EXPECT_LT(Clock::now() - begin, milliseconds(200 + 1500 + 2000));
  EXPECT_TRUE(portal.logged("left behind"));
  files.release();
  io.run_until([] { return test::count_threads("portal-0") == 0; });
}

TEST_F(QuicSessionTest, S9_a_flood_of_refusals_is_counted_and_not_recorded_one_by_one) {
  const std::string refused = "too many connections without authentication";
  portal.tuning.handshake_timeout = seconds(60);
  portal.start();
  std::vector<std::shared_ptr<quic::Connection>> waiting;
  for (int i = 0; i < 32; ++i) waiting.push_back(connect());
  const auto begin = Clock::now();
  const auto tls = *quic::ClientTls::make({.kind = quic::Trust::Kind::anybody});
  for (int i = 0; i < 40; ++i) {
    waiting.push_back(*client->connect(portal.portal().udp_endpoints().at(0), tls, "localhost"));
  }
  // They try again and again, so the count of those that were passed over shows with the next one.
  io.run_until([&] { return portal.logged("more refusals are not recorded"); });
  const std::int64_t records = portal.times_logged(refused);
  EXPECT_GE(records, 10);
  EXPECT_LE(records, 11 + (Clock::now() - begin) / seconds(1));
}

}  // namespace
}  // namespace portunus::portal::server
