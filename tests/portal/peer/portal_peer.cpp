// A peer of a Portal for the end-to-end tests (portal contract, section 9).
//   portal_peer causes
//   portal_peer denied <port> <key> <cause> <tries> <at-once> <source> <base-ms>
//   portal_peer welcome <port> <key> <tls|quic> <pause-ms>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <system_error>
#include <utility>
#include <vector>

#include "portal/quic/tls.hpp"
#include "tests/portal/peer/peer.hpp"

namespace portunus::test::peer {

void give_up(std::string_view why) {
  std::fprintf(stderr, "portal_peer: %.*s\n", static_cast<int>(why.size()), why.data());
  std::fflush(stderr);
  std::_Exit(1);
}

async::Task<void> sleep_for(Clock::duration time) {
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, time);
  co_await timer.async_wait(async::kTuple);
}

std::shared_ptr<portal::quic::Endpoint> quic_endpoint(boost::asio::io_context& io) {
  auto settings = portal::quic::Settings::client();
  // Who is not admitted hears nothing.
  settings.handshake_timeout = std::chrono::seconds(20);
  auto client = portal::quic::Endpoint::client(io, std::move(settings));
  if (const auto started = client->start(); !started) give_up(started.error().text());
  return client;
}

async::Task<std::shared_ptr<portal::quic::Connection>> quic_connect(portal::quic::Endpoint& client,
                                                                    net::Endpoint to) {
  const auto tls = portal::quic::ClientTls::make({.kind = portal::quic::Trust::Kind::anybody});
  auto connection = client.connect(to, *tls, "localhost");
  if (!connection) give_up(connection.error().text());
  const auto done = co_await (*connection)->handshake();
  if (!done) give_up("handshake: " + done.error().text());
  co_return std::move(*connection);
}

namespace {

unsigned number(std::string_view text) {
  unsigned value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc() || end != text.data() + text.size()) give_up("not a number");
  return value;
}

net::Endpoint loopback(std::string_view port) {
  return {*net::IpAddress::parse("127.0.0.1"), static_cast<std::uint16_t>(number(port))};
}

void run(const std::vector<std::string_view>& args) {
  boost::asio::io_context io(1);
  if (args.size() == 1 && args[0] == "causes") return list_causes();
  if (args.size() == 8 && args[0] == "denied") {
    return be_denied(io, {.portal = loopback(args[1]),
                          .secrets = {.key = std::string(args[2])},
                          .cause = std::string(args[3]),
                          .tries = number(args[4]),
                          .at_once = number(args[5]),
                          .source = std::string(args[6]),
                          .base = std::chrono::milliseconds(number(args[7]))});
  }
  if (args.size() == 5 && args[0] == "welcome" && (args[3] == "tls" || args[3] == "quic")) {
    return be_welcome(io, loopback(args[1]), {.key = std::string(args[2])}, args[3],
                      std::chrono::milliseconds(number(args[4])));
  }
  give_up(
      "causes | denied <port> <key> <cause> <tries> <at-once> <source> <base-ms> | "
      "welcome <port> <key> <tls|quic> <pause-ms>");
}

}  // namespace
}  // namespace portunus::test::peer

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  portunus::test::peer::run({argv + 1, argv + argc});
  return 0;
}
