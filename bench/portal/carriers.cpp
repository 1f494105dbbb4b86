#include "carriers.hpp"

#include <sys/socket.h>

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/this_coro.hpp>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "common/async/gate.hpp"
#include "common/net/endpoint.hpp"
#include "portal/client/errc.hpp"
#include "portal/client/quic_transport.hpp"
#include "portal/client/settings.hpp"
#include "portal/client/tls_transport.hpp"
#include "portal/relay/tcp_stream.hpp"
#include "portal/tls/errc.hpp"
#include "portal/tls/tls_context.hpp"
#include "portal/tls/tls_stream.hpp"

namespace portunus::bench {
namespace {

namespace asio = boost::asio;
namespace client = portal::client;
using asio::ip::tcp;
using asio::ip::udp;

[[noreturn]] void refuse(const Error& error) {
  std::fprintf(stderr, "error: %s\n", error.text().c_str());
  std::exit(1);
}

/// A connected UDP socket as a flow.
class DirectFlow final : public client::UdpFlow {
 public:
  DirectFlow(async::Gate& gate, udp::socket socket, client::UdpReceiver& receiver)
      : socket_(std::make_shared<udp::socket>(std::move(socket))) {
    gate.spawn(receive(socket_, receiver));
  }
  ~DirectFlow() override { socket_->close(); }
  bool send(std::span<const std::uint8_t> payload) override {
    return ::send(socket_->native_handle(), payload.data(), payload.size(), MSG_DONTWAIT) >= 0;
  }
  void flush() override {}

 private:
  static async::Task<> receive(std::shared_ptr<udp::socket> socket, client::UdpReceiver& receiver) {
    co_await asio::this_coro::throw_if_cancelled(false);
    std::array<std::uint8_t, 2048> buffer;
    while (true) {
      const auto [ec, n] = co_await socket->async_receive(asio::buffer(buffer), async::kTuple);
      if (ec == asio::error::operation_aborted) co_return;  // the flow is gone
      if (ec) {
        receiver.on_closed(Error(ec, "receive"));
        co_return;
      }
      receiver.on_packet(std::span(buffer).first(n));
    }
  }
  std::shared_ptr<udp::socket> socket_;
};

/// To one local port whatever the target says, with or without TLS.
class PlainTransport final : public client::Transport {
 public:
  PlainTransport(asio::io_context& context, std::uint16_t port, bool with_tls)
      : context_(context), port_(port), gate_(context.get_executor()) {
    if (!with_tls) return;
    portal::tls::ClientTlsSettings settings;
    settings.trust.kind = portal::tls::ClientTrust::Kind::anything;
    auto made = portal::tls::ClientContext::create(settings);
    if (!made) refuse(made.error());
    tls_ = std::move(*made);
  }

  void start() override {}
  async::Task<Result<std::unique_ptr<portal::relay::ByteStream>>> open_tcp(std::string) override {
    tcp::socket socket(context_);
    const auto [ec] = co_await socket.async_connect(
        tcp::endpoint(asio::ip::address_v4::loopback(), port_), async::kTuple);
    if (ec) co_return fail_errno(ec.value(), "connect");
    if (!tls_) co_return std::make_unique<portal::relay::TcpStream>(std::move(socket));
    auto stream = std::make_unique<portal::tls::TlsStream>(std::move(socket), *tls_);
    const Result<> shaken = co_await stream->handshake();
    // stunnel selects no ALPN value, which changes nothing of what is measured.
    if (!shaken && shaken.error().code != make_error_code(portal::tls::Errc::wrong_alpn)) {
      co_return fail(shaken.error());
    }
    co_return stream;
  }
  async::Task<Result<std::unique_ptr<client::UdpFlow>>> open_udp(
      std::string, client::UdpReceiver& receiver) override {
    if (tls_) co_return fail(client::Errc::bad_target);
    udp::socket socket(context_);
    socket.connect(udp::endpoint(asio::ip::address_v4::loopback(), port_));
    co_return std::make_unique<DirectFlow>(gate_, std::move(socket), receiver);
  }
  void request_stop() override {}
  async::Task<bool> drain(std::chrono::steady_clock::duration grace) override {
    gate_.request_stop();
    co_return co_await gate_.drain(grace);
  }

 private:
  asio::io_context& context_;
  const std::uint16_t port_;
  std::unique_ptr<portal::tls::ClientContext> tls_;
  async::Gate gate_;
};

template <class T>
std::unique_ptr<client::Transport> or_refuse(Result<std::unique_ptr<T>> made) {
  if (!made) refuse(made.error());
  return std::move(*made);
}

}  // namespace

std::optional<Carrier> parse_carrier(std::string_view name) {
  if (name == "direct") return Carrier::direct;
  if (name == "tls") return Carrier::tls;
  if (name == "portal-tls") return Carrier::portal_tls;
  if (name == "portal-quic") return Carrier::portal_quic;
  return std::nullopt;
}

std::unique_ptr<client::Transport> make_transport(Carrier carrier, const std::string& to,
                                                  asio::io_context& context,
                                                  dataplane::dns::Resolver& resolver) {
  if (carrier == Carrier::direct || carrier == Carrier::tls) {
    const auto endpoint = net::Endpoint::parse(to);
    if (!endpoint) refuse(Error(client::Errc::bad_target, to));
    return std::make_unique<PlainTransport>(context, endpoint->port(), carrier == Carrier::tls);
  }
  auto settings = client::read_client_settings(to, {.insecure = true, .pool = 0});
  if (!settings) refuse(settings.error());
  if (carrier == Carrier::portal_quic) {
    return or_refuse(client::QuicTransport::create(context, resolver, std::move(*settings)));
  }
  return or_refuse(
      client::TlsTransport::create(context.get_executor(), resolver, std::move(*settings)));
}

}  // namespace portunus::bench
