#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <cstdio>
#include <exception>
#include <utility>

#include "common/crypto/random.hpp"
#include "portal/quic/stream.hpp"
#include "tests/portal/peer/peer.hpp"
#include "tests/portal/support/nat.hpp"

namespace portunus::test::peer {
namespace {

namespace quic = portal::quic;
using async::Task;
using Connection = std::shared_ptr<quic::Connection>;
using StreamPtr = std::unique_ptr<quic::Stream>;

/// What follows the bytes on the authentication stream.
enum class Then { fin, nothing, reset };

std::string random_text(std::size_t size) {
  std::string text(size, '\0');
  crypto::random_bytes({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  return text;
}

/// The field of `auto` that begins there: tag 0, magic 32, length 40, padding 41, nonce 46.
std::string changed(std::string frame, std::size_t at) {
  frame[at] = static_cast<char>(frame[at] ^ 1);
  return frame;
}

struct Cause {
  std::string_view name;
  std::string (*bytes)(const Secrets&);
  Then then = Then::fin;
};

const std::array kCauses{
    Cause{"wrong key", [](const Secrets&) { return Secrets{.key = "not the key"}.auth_frame(); }},
    Cause{"wrong spec", [](const Secrets& s) { return Secrets{s.key, "x"}.auth_frame(); }},
    Cause{"wrong tag", [](const Secrets& s) { return changed(s.auth_frame(), 0); }},
    Cause{"wrong magic", [](const Secrets& s) { return changed(s.auth_frame(), 32); }},
    Cause{"wrong length", [](const Secrets& s) { return changed(s.auth_frame(), 40); }},
    Cause{"wrong padding", [](const Secrets& s) { return changed(s.auth_frame(), 41); }},
    Cause{"garbage", [](const Secrets& s) { return random_text(s.auth_frame().size()); }},
    Cause{"truncated", [](const Secrets& s) { return s.auth_frame().substr(1); }},
    Cause{"truncated, open", [](const Secrets& s) { return s.auth_frame().substr(1); },
          Then::nothing},
    Cause{"truncated, reset", [](const Secrets& s) { return s.auth_frame().substr(1); },
          Then::reset},
    Cause{"empty", [](const Secrets&) { return std::string(); }},
    Cause{"no FIN", [](const Secrets& s) { return s.auth_frame(); }, Then::nothing},
    Cause{"a byte more", [](const Secrets& s) { return s.auth_frame() + "x"; }},
    // More than the connection's credit of 64 KiB.
    Cause{"oversized", [](const Secrets& s) { return s.auth_frame() + random_text(200'000); }},
};

/// Those that are more than bytes on a stream.
constexpr std::string_view kSilence = "silence";
constexpr std::string_view kDribble = "dribble";
constexpr std::string_view kDatagrams = "datagrams alone";

async::Task<StreamPtr> open_stream(quic::Connection& connection) {
  auto stream = co_await connection.open_stream();
  if (!stream) give_up("no authentication stream: " + stream.error().text());
  co_return std::move(*stream);
}

/// The right frame in single bytes, too slow for the latest deadline. Ends with the connection.
Task<void> dribble(Connection connection, std::string frame, Clock::duration pause) {
  const StreamPtr stream = co_await open_stream(*connection);
  for (const char& byte : frame) {
    const auto sent = co_await stream->write_all(bytes_of({&byte, 1}));
    if (!sent) co_return;
    co_await sleep_for(pause);
  }
  give_up("dribbled to its end");
}

Task<StreamPtr> send(quic::Connection& connection, const Cause& cause, const Secrets& secrets) {
  StreamPtr stream = co_await open_stream(connection);
  const std::string bytes = cause.bytes(secrets);
  const auto sent = co_await stream->write_all(bytes_of(bytes));
  if (!sent) give_up("the frame: " + sent.error().text());
  switch (cause.then) {
    case Then::fin:
      stream->finish_now();
      break;
    case Then::nothing:
      break;
    case Then::reset:
      // Not before the bytes are on their way.
      co_await sleep_for(std::chrono::milliseconds(20));
      stream->abort();
      break;
  }
  co_return stream;
}

/// What it returns is kept until the end.
Task<StreamPtr> fail(Connection connection, const Flood& flood) {
  if (flood.cause == kSilence) co_return nullptr;
  if (flood.cause == kDatagrams) {
    const std::string some(1000, 'x');
    for (int i = 0; i < 100; ++i) {
      connection->send_datagram({reinterpret_cast<const std::uint8_t*>(some.data()), some.size()},
                                {});
    }
    co_return nullptr;
  }
  if (flood.cause == kDribble) {
    const std::string frame = flood.secrets.auth_frame();
    const auto pause = flood.base * 3 / 2 / frame.size();
    boost::asio::co_spawn(co_await boost::asio::this_coro::executor,
                          dribble(connection, frame, pause), [](const std::exception_ptr& error) {
                            if (error) std::terminate();
                          });
    co_return nullptr;
  }
  const auto cause = std::ranges::find(kCauses, flood.cause, &Cause::name);
  if (cause == kCauses.end()) give_up("no such cause");
  StreamPtr stream = co_await send(*connection, *cause, flood.secrets);
  co_return stream;
}

Task<void> one_try(quic::Endpoint& client, net::Endpoint to, const Flood& flood) {
  const auto begin = Clock::now();
  const Connection connection = co_await quic_connect(client, to);
  const auto connected = Clock::now();
  const StreamPtr stream = co_await fail(connection, flood);
  co_await connection->ended();
  const auto now = Clock::now();
  const quic::Ending& ending = *connection->ending();
  const bool by_code = ending.cause == quic::Errc::closed_by_peer;
  std::printf("%.6f %.6f %lld %s\n", seconds_between(begin, now), seconds_between(connected, now),
              by_code ? static_cast<long long>(ending.code) : -1LL,
              by_code ? ending.reason.c_str() : make_error_code(ending.cause).message().c_str());
  std::fflush(stdout);
}

Task<void> lane(quic::Endpoint& client, net::Endpoint to, const Flood& flood, unsigned number) {
  // Not all at the same instant: their handshakes would measure one another.
  co_await sleep_for(flood.base * number / flood.at_once);
  for (unsigned i = number; i < flood.tries; i += flood.at_once) {
    co_await one_try(client, to, flood);
  }
}

}  // namespace

void be_denied(boost::asio::io_context& io, const Flood& flood) {
  const auto client = quic_endpoint(io);
  const Nat nat(io, flood.portal, flood.source);
  unsigned running = flood.at_once;
  for (unsigned i = 0; i < flood.at_once; ++i) {
    boost::asio::co_spawn(io, lane(*client, nat.front(), flood, i),
                          [&](const std::exception_ptr& error) {
                            if (error) std::terminate();
                            if (--running == 0) io.stop();
                          });
  }
  io.run();
}

void list_causes() {
  for (const auto name : {kSilence, kDribble, kDatagrams}) std::printf("%s\n", name.data());
  for (const Cause& cause : kCauses) std::printf("%s\n", cause.name.data());
}

}  // namespace portunus::test::peer
