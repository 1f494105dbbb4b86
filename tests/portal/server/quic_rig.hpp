#pragma once

#include <gtest/gtest.h>

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "portal/protocol/udp_datagram.hpp"
#include "portal/quic/connection.hpp"
#include "portal/quic/endpoint.hpp"
#include "tests/portal/support/running_portal.hpp"
#include "tests/support/test_io.hpp"

namespace portunus::portal::server {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}
inline std::string text_of(std::span<const std::uint8_t> bytes) {
  return {bytes.begin(), bytes.end()};
}
inline std::span<const std::uint8_t> octets(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

inline async::Task<Result<std::string>> read_all(quic::Stream& stream) {
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
  struct Core;

 public:
  explicit Echo(test::TestIo& io) : core_(std::make_shared<Core>(io)) {
    core_->accept();
    core_->receive();
  }
  /// What is under way on the loop finds the sockets closed.
  ~Echo() {
    core_->acceptor.close();
    core_->datagrams.close();
  }
  Echo(const Echo&) = delete;
  Echo& operator=(const Echo&) = delete;

  std::string tcp() const {
    return "127.0.0.1:" + std::to_string(core_->acceptor.local_endpoint().port());
  }
  std::string udp() const {
    return "127.0.0.1:" + std::to_string(core_->datagrams.local_endpoint().port());
  }
  int accepted() const { return core_->accepted; }
  int packets() const { return static_cast<int>(core_->received.size()); }
  const std::vector<std::string>& received() const { return core_->received; }

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
  struct Core : std::enable_shared_from_this<Core> {
    explicit Core(test::TestIo& io)
        : acceptor(io.context(), {asio::ip::address_v4::loopback(), 0}),
          datagrams(io.context(), {asio::ip::address_v4::loopback(), 0}) {}
    void accept() {
      acceptor.async_accept([self = shared_from_this()](const auto& ec, auto socket) {
        if (ec || !self->acceptor.is_open()) return;
        ++self->accepted;
        std::make_shared<Client>(std::move(socket))->read();
        self->accept();
      });
    }
    void receive() {
      datagrams.async_receive_from(
          asio::buffer(packet), source, [self = shared_from_this()](const auto& ec, std::size_t n) {
            if (!self->datagrams.is_open()) return;
            if (!ec) {
              self->received.emplace_back(self->packet.data(), n);
              self->datagrams.send_to(asio::buffer(self->packet.data(), n), self->source);
            }
            self->receive();
          });
    }
    asio::ip::tcp::acceptor acceptor;
    asio::ip::udp::socket datagrams;
    asio::ip::udp::endpoint source;
    std::array<char, 65536> packet;
    int accepted = 0;
    std::vector<std::string> received;
  };

  const std::shared_ptr<Core> core_;
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

  /// Not yet shaken hands. `to` where something lies between.
  std::shared_ptr<quic::Connection> begin(const std::optional<net::Endpoint>& to = {}) {
    if (client == nullptr) {
      client = quic::Endpoint::client(io.context(), client_settings);
      if (!client->start()) throw std::runtime_error("client");
    }
    const auto tls = quic::ClientTls::make({.kind = quic::Trust::Kind::anybody});
    return *client->connect(to.value_or(portal.portal().udp_endpoints().at(0)), *tls, "localhost");
  }
  std::shared_ptr<quic::Connection> connect(const std::optional<net::Endpoint>& to = {}) {
    auto connection = begin(to);
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

  std::shared_ptr<quic::Connection> authenticated(const std::optional<net::Endpoint>& to = {}) {
    auto connection = connect(to);
    const auto stream = send_auth(*connection, portal.auth_frame());
    io.run_until([&] { return connection->stream_credit() > 0; });
    return connection;
  }

  /// A stream to `target` that has been asked for, and what is sent behind that.
  std::unique_ptr<quic::Stream> request(quic::Connection& connection, const std::string& target,
                                        const std::string& payload = {}) {
    auto stream = *io.run(connection.open_stream());
    io.run(stream->write_all(bytes_of(portal.request(target) + payload)));
    return stream;
  }
  /// The next DATAGRAM, which must come.
  std::string receive(quic::Connection& connection) {
    if (!io.run(connection.wait_for_datagram())) throw std::runtime_error("connection ended");
    std::string got = text_of(*connection.front_datagram());
    connection.pop_datagram();
    return got;
  }
  /// The loop runs for so long.
  void pass(milliseconds time) {
    const auto until = Clock::now() + time;
    io.run_until([&] { return Clock::now() > until; });
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
  quic::Settings client_settings = quic::Settings::client();
  std::shared_ptr<quic::Endpoint> client;
};

}  // namespace portunus::portal::server
