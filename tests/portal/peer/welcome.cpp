#include <unistd.h>

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/write.hpp>
#include <cstdio>
#include <exception>
#include <utility>

#include "portal/protocol/tcp_request.hpp"
#include "portal/quic/stream.hpp"
#include "portal/tls/tls_context.hpp"
#include "portal/tls/tls_stream.hpp"
#include "tests/portal/peer/peer.hpp"

namespace portunus::test::peer {
namespace {

namespace asio = boost::asio;
namespace quic = portal::quic;
namespace tls = portal::tls;
using asio::ip::tcp;
using async::kTuple;
using async::Task;

struct Times {
  double handshake = 0;
  double authentication = 0;
};

/// Sends one byte to everybody who comes, so that an authentication over TLS shows.
Task<void> greet(tcp::acceptor& acceptor) {
  for (;;) {
    auto [ec, socket] = co_await acceptor.async_accept(kTuple);
    if (ec) give_up("the target: " + ec.message());
    co_await asio::async_write(socket, asio::buffer("x", 1), kTuple);
  }
}

Task<Times> over_quic(quic::Endpoint& client, net::Endpoint portal, const Secrets& secrets) {
  const auto begin = Clock::now();
  const auto connection = co_await quic_connect(client, portal);
  const std::string frame = secrets.auth_frame();
  const auto secured = Clock::now();
  auto stream = co_await connection->open_stream();
  if (!stream) give_up("no authentication stream");
  const auto sent = co_await (*stream)->write_all(bytes_of(frame));
  if (!sent) give_up("the frame: " + sent.error().text());
  (*stream)->finish_now();
  // Only who has authenticated is allowed a second one.
  const auto second = co_await connection->open_stream();
  if (!second) give_up("not authenticated: " + second.error().text());
  const Times times{seconds_between(begin, secured), seconds_between(secured, Clock::now())};
  connection->close(0, {});
  co_return times;
}

Task<Times> over_tls(tls::ClientContext& context, net::Endpoint portal, const Secrets& secrets,
                     const std::string& target) {
  const auto begin = Clock::now();
  tcp::socket socket(co_await asio::this_coro::executor);
  const auto [ec] = co_await socket.async_connect(
      tcp::endpoint(asio::ip::address_v4::loopback(), portal.port()), kTuple);
  if (ec) give_up("connect: " + ec.message());
  socket.set_option(tcp::no_delay(true));
  tls::TlsStream stream(std::move(socket), context);
  const auto shaken = co_await stream.handshake();
  if (!shaken) give_up("handshake: " + shaken.error().text());
  const std::string flight =
      secrets.auth_frame() +
      Secrets::text(*portal::protocol::encode_tcp_request(secrets.layout(), target));
  const auto secured = Clock::now();
  const auto sent = co_await stream.write_all(bytes_of(flight));
  if (!sent) give_up("the frame: " + sent.error().text());
  std::array<std::byte, 1> greeting;
  const auto got = co_await stream.read_some(greeting);
  if (!got || *got == 0) give_up("not authenticated");
  co_return Times{seconds_between(begin, secured), seconds_between(secured, Clock::now())};
}

Task<void> again_and_again(asio::io_context& io, net::Endpoint portal, Secrets secrets,
                           bool with_tls, Clock::duration pause) {
  const auto client = quic_endpoint(io);
  const auto context =
      tls::ClientContext::create({.trust = {.kind = tls::ClientTrust::Kind::anything}});
  if (!context) give_up(context.error().text());
  tcp::acceptor target(io, {asio::ip::address_v4::loopback(), 0});
  const std::string address = "127.0.0.1:" + std::to_string(target.local_endpoint().port());
  asio::co_spawn(io, greet(target), [](const std::exception_ptr& error) {
    if (error) std::terminate();
  });
  for (;;) {
    Times times;
    if (with_tls) {
      times = co_await over_tls(**context, portal, secrets, address);
    } else {
      times = co_await over_quic(*client, portal, secrets);
    }
    std::printf("%.6f %.6f\n", times.handshake, times.authentication);
    std::fflush(stdout);
    co_await sleep_for(pause);
  }
}

Task<void> wait_for_end_of_input(asio::io_context& io) {
  asio::posix::stream_descriptor input(io, ::dup(STDIN_FILENO));
  std::array<char, 16> ignored;
  for (;;) {
    const auto [ec, n] = co_await input.async_read_some(asio::buffer(ignored), kTuple);
    if (ec) break;
  }
  std::_Exit(0);
}

}  // namespace

void be_welcome(asio::io_context& io, net::Endpoint portal, const Secrets& secrets,
                std::string_view carrier, std::chrono::milliseconds pause) {
  const auto or_terminate = [](const std::exception_ptr& error) {
    if (error) std::terminate();
  };
  asio::co_spawn(io, again_and_again(io, portal, secrets, carrier == "tls", pause), or_terminate);
  asio::co_spawn(io, wait_for_end_of_input(io), or_terminate);
  io.run();
}

}  // namespace portunus::test::peer
