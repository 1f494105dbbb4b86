#pragma once

#include <gtest/gtest.h>

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/clock.hpp"
#include "dataplane/dns/resolver.hpp"
#include "portal/client/quic_transport.hpp"
#include "portal/client/settings.hpp"
#include "portal/client/tls_transport.hpp"
#include "portal/credentials/credential_store.hpp"
#include "portal/log/log.hpp"
#include "portal/server/portal.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/test_io.hpp"

namespace portunus::portal::client {

namespace asio = boost::asio;

/// What answers behind a Portal: TCP and UDP echo on one loopback port each, on the test's loop.
class EchoTarget {
 public:
  explicit EchoTarget(test::TestIo& io)
      : acceptor_(io.context(), {asio::ip::address_v4::loopback(), 0}),
        datagrams_(io.context(), {asio::ip::address_v4::loopback(), 0}) {
    accept_next();
    receive_next();
  }
  std::string tcp() const {
    return "127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port());
  }
  std::string udp() const {
    return "127.0.0.1:" + std::to_string(datagrams_.local_endpoint().port());
  }
  int accepted() const { return accepted_; }

 private:
  /// Echoes until the end, and ends then itself.
  struct Connection : std::enable_shared_from_this<Connection> {
    explicit Connection(asio::ip::tcp::socket s) : socket(std::move(s)) {}
    void read() {
      socket.async_read_some(
          asio::buffer(buffer),
          [self = shared_from_this()](const boost::system::error_code& ec, std::size_t n) {
            if (ec) return;  // the socket closes with the last reference
            self->write(n);
          });
    }
    void write(std::size_t n) {
      asio::async_write(
          socket, asio::buffer(buffer.data(), n),
          [self = shared_from_this()](const boost::system::error_code& ec, std::size_t) {
            if (!ec) self->read();
          });
    }
    asio::ip::tcp::socket socket;
    std::array<char, 65536> buffer;
  };

  void accept_next() {
    acceptor_.async_accept([this](const boost::system::error_code& ec, auto socket) {
      if (ec) return;
      ++accepted_;
      std::make_shared<Connection>(std::move(socket))->read();
      accept_next();
    });
  }
  void receive_next() {
    datagrams_.async_receive_from(asio::buffer(packet_), source_,
                                  [this](const boost::system::error_code& ec, std::size_t n) {
                                    if (ec == asio::error::operation_aborted) return;
                                    if (!ec)
                                      datagrams_.send_to(asio::buffer(packet_.data(), n), source_);
                                    receive_next();
                                  });
  }

  asio::ip::tcp::acceptor acceptor_;
  asio::ip::udp::socket datagrams_;
  asio::ip::udp::endpoint source_;
  std::array<char, 65536> packet_;
  int accepted_ = 0;
};

/// A real Portal on threads of its own, and the certificate that it shows.
class RunningPortal {
 public:
  RunningPortal() : pair_(*credentials::make_self_signed(SystemClock::instance().now())) {
    std::ofstream(folder_ / "chain.pem") << pair_.certificates_pem;
    std::ofstream(folder_ / "key.pem") << pair_.key_pem;
    tuning.handshake_timeout = std::chrono::milliseconds(500);
    tuning.shutdown_timeout = std::chrono::seconds(2);
  }
  ~RunningPortal() { stop(); }

  /// On a port of the system's choice, or the one before.
  void start() {
    config::PortalConfig config;
    config.key = Secret("secret");
    config.host = "127.0.0.1";
    config.port = port_;
    config.tls = config::TlsMode::pem_files;
    config.certificate_path = (folder_ / "chain.pem").string();
    config.key_path = (folder_ / "key.pem").string();
    // One number for both carriers is found by trying: the system knows what is free of either.
    for (int attempt = 0; attempt < 50; ++attempt) {
      config.port = port_ != 0 ? port_ : free_port();
      portal_ = std::make_unique<server::Portal>(config, tuning, log_, server::PortalOptions{2});
      const Result<> started = portal_->start();
      if (started) {
        port_ = config.port;
        return;
      }
      portal_.reset();
      if (port_ != 0) FAIL() << started.error().text();
    }
    FAIL() << "no port";
  }
  void stop() {
    if (!portal_) return;
    portal_->request_stop();
    portal_->drain();
    portal_.reset();
  }

  ClientSettings settings() const {
    ClientSettings out;
    out.key = Secret("secret");
    out.host = "127.0.0.1";
    out.port = port_;
    out.trust = Trust::pin;
    out.pin = pair_.leaf_sha256;
    return out;
  }

  config::Tuning tuning;

 private:
  static std::uint16_t free_port() {
    asio::io_context io;
    return asio::ip::udp::socket(io, {asio::ip::address_v4::loopback(), 0}).local_endpoint().port();
  }

  test::TempDir folder_;
  const credentials::Pair pair_;
  log::Log log_{log::Level::none, false};
  std::uint16_t port_ = 0;
  std::unique_ptr<server::Portal> portal_;
};

enum class Carrier { tls, quic };

/// A Portal, a target behind it and a client in front of it.
class PortalClientRig : public testing::Test {
 protected:
  PortalClientRig() : resolver_(io_.context(), {}), target_(io_) { portal_.start(); }
  ~PortalClientRig() override {
    if (client_) close();
    resolver_.stop();
  }

  void connect(Carrier carrier, ClientSettings settings) {
    if (carrier == Carrier::quic) {
      auto made = QuicTransport::create(io_.context(), resolver_, std::move(settings));
      ASSERT_TRUE(made) << made.error().text();
      client_ = std::move(*made);
    } else {
      auto made = TlsTransport::create(io_.executor(), resolver_, std::move(settings));
      ASSERT_TRUE(made) << made.error().text();
      client_ = std::move(*made);
    }
    client_->start();
  }
  void close() {
    io_.run([](Transport& t) -> async::Task<bool> {
      co_return co_await t.drain(std::chrono::seconds(5));
    }(*client_));
    client_.reset();
  }
  auto open_tcp() { return io_.run(client_->open_tcp(target_.tcp())); }

  Result<> write(relay::ByteStream& stream, std::string_view text) {
    return io_.run(stream.write_all(std::as_bytes(std::span(text))));
  }
  /// Exactly `size` bytes, or fewer at an end; the error when there is one.
  Result<std::string> read(relay::ByteStream& stream, std::size_t size) {
    std::string got(size, '\0');
    const auto n = io_.run(relay::read_full(stream, std::as_writable_bytes(std::span(got))));
    if (!n) return fail(n.error());
    got.resize(*n);
    return got;
  }

  test::TestIo io_;
  dataplane::dns::Resolver resolver_;
  EchoTarget target_;
  RunningPortal portal_;
  std::unique_ptr<Transport> client_;
};

}  // namespace portunus::portal::client
