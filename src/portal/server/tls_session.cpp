#include "portal/server/tls_session.hpp"

#include <boost/asio/this_coro.hpp>
#include <utility>

#include "common/async/cancelled.hpp"
#include "common/async/within.hpp"
#include "portal/protocol/uot.hpp"
#include "portal/relay/auth_deadline.hpp"
#include "portal/relay/errc.hpp"
#include "portal/server/session_record.hpp"

namespace portunus::portal::server {
namespace {

namespace asio = boost::asio;
using async::Task;
using async::within;
using log::Level;

constexpr std::string_view kCarrier = "tls";
constexpr std::size_t kInput = 2048;

}  // namespace

TlsSession::TlsSession(CoreServices& core, tls::ServerContext& context,
                       asio::ip::tcp::socket socket, const net::Endpoint& peer,
                       relay::Admission::Slot slot)
    : core_(core),
      peer_(peer),
      stream_(std::move(socket), context),
      slot_(std::move(slot)),
      request_(core.all.spec),
      buffer_(kInput) {}

Task<void> TlsSession::run(std::unique_ptr<TlsSession> self) {
  co_await asio::this_coro::throw_if_cancelled(false);
  // A cancellation interrupts the wait at hand and no later one, so it is looked for before each
  // phase, which would otherwise run to its own end.
  bool over = co_await async::cancelled();
  if (over) co_return;
  const bool secured = co_await self->shake_hands();
  over = co_await async::cancelled();
  if (!secured || over) co_return;
  const bool authentic = co_await self->authenticate();
  over = co_await async::cancelled();
  if (!authentic || over) co_return;
  const bool requested = co_await self->await_request();
  over = co_await async::cancelled();
  if (!requested || over) co_return;
  if (self->request_.is_uot()) {
    co_await self->serve_uot();
  } else {
    co_await self->serve_tcp();
  }
}

Task<bool> TlsSession::shake_hands() {
  const auto done = co_await within(stream_.handshake(), core_.all.tuning.handshake_timeout);
  if (done && *done) co_return true;
  stream_.abort();
  slot_.release();
  const bool stopped = co_await async::cancelled();
  if (stopped) {
    log(Level::debug, "tls: ended by shutdown");
  } else if (!done) {
    log(Level::error, "tls: no handshake in time");
  } else {
    log(Level::error, "tls: ", done->error());
  }
  co_return false;
}

Task<bool> TlsSession::authenticate() {
  stream_.hold_output();
  const SteadyTime now = std::chrono::steady_clock::now();
  const auto deadline = relay::AuthDeadline::start(now, core_.all.tuning.handshake_timeout);
  auto read = co_await within(read_auth_frame(), deadline.at() - now);
  // A frame that was there at once wins against a timer that was due at once, as one of 0 is.
  if (std::chrono::steady_clock::now() >= deadline.at()) read.reset();
  if (read && *read) {
    slot_.release();
    *read = stream_.release_output();
    stream_.keep_alive();
  }
  if (read && *read) {
    pooled_ = relay::Counted(core_.counters.pool);
    co_return true;
  }
  // Whatever was wrong, and however soon it was known, it looks the same from outside.
  bool stopped = co_await async::cancelled();
  if (!stopped) {
    co_await async::sleep_until(deadline.at());
    stopped = co_await async::cancelled();
  }
  stream_.abort();
  slot_.release();
  if (stopped) {
    log(Level::debug, "auth: ended by shutdown");
  } else if (!read) {
    log(Level::error, "auth: no authentication frame in time");
  } else {
    log(Level::error, "auth: ", read->error());
  }
  co_return false;
}

Task<Result<>> TlsSession::read_auth_frame() {
  const auto frame = std::span(buffer_).first(core_.all.spec.auth_frame_size());
  const Result<std::size_t> got = co_await relay::read_full(stream_, frame);
  if (!got) co_return fail(got.error());
  if (*got < frame.size()) co_return fail(relay::Errc::truncated);
  co_return protocol::verify_auth_frame(core_.all.spec, core_.all.key, protocol::octets(frame));
}

Task<bool> TlsSession::await_request() {
  const auto read = co_await within(read_request(), core_.all.request_window);
  pooled_.release();
  const bool stopped = co_await async::cancelled();
  if (!stopped && read && *read) co_return true;
  stream_.abort();
  if (stopped) {
    log(Level::debug, "pool: ended by shutdown");
  } else if (!read) {
    log(Level::debug, "pool: expired");
  } else if (!request_.started() && read->error() == relay::Errc::truncated) {
    log(Level::debug, "pool: left without a request");
  } else {
    log(Level::error, "request: ", read->error());
  }
  co_return false;
}

Task<Result<>> TlsSession::read_request() {
  while (!request_.complete()) {
    const Result<std::size_t> got = co_await stream_.read_some(buffer_);
    if (!got) co_return fail(got.error());
    if (*got == 0) co_return fail(relay::Errc::truncated);
    filled_ = *got;
    const Result<std::size_t> taken =
        request_.feed(protocol::octets(std::span(buffer_).first(filled_)));
    if (!taken) co_return fail(taken.error());
    early_at_ = *taken;
  }
  co_return Result<>{};
}

Task<void> TlsSession::serve_tcp() {
  const relay::Counted counted(core_.counters.tcps);
  const auto target = co_await core_.all.dialer.dial_tcp(request_.target(), peer_.address());
  if (!target) {
    stream_.abort();
    const bool stopped = co_await async::cancelled();
    log(stopped ? Level::debug : Level::error, "dial tcp " + request_.target() + ": ",
        target.error());
    co_return;
  }
  const bool over = co_await async::cancelled();
  if (over) co_return;
  const bool told = core_.all.log.shown(Level::info);
  const std::string between =
      told ? route((*target)->local_endpoint(), (*target)->peer_endpoint()) : std::string();
  if (told) log(Level::info, "tcp start: ", between);
  const std::vector<std::byte> first = take_early();
  const relay::RelayEnd end = co_await relay::relay_tcp(stream_, **target, first, core_.tcp);
  if (told) log(Level::info, "tcp end: ", between + summary(end));
}

Task<void> TlsSession::serve_uot() {
  auto target = co_await within(read_uot_setup(), core_.all.tuning.handshake_timeout);
  const bool over = co_await async::cancelled();
  if (over || !target || !*target) {
    stream_.abort();
    if (over) {
      log(Level::debug, "uot: ended by shutdown");
    } else if (!target) {
      log(Level::error, "uot: no setup frame in time");
    } else {
      log(Level::error, "uot: ", target->error());
    }
    co_return;
  }
  const auto socket = co_await core_.all.dialer.dial_udp(**target, peer_.address());
  if (!socket) {
    stream_.abort();
    const bool stopped = co_await async::cancelled();
    log(stopped ? Level::debug : Level::error, "dial udp " + **target + ": ", socket.error());
    co_return;
  }
  const relay::Counted counted(core_.counters.udps);
  const bool told = core_.all.log.shown(Level::info);
  const std::string between =
      told ? route((*socket)->local_endpoint(), (*socket)->remote_endpoint()) : std::string();
  if (told) log(Level::info, "uot start: ", between);
  const std::vector<std::byte> first = take_early();
  const relay::UotEnd end = co_await relay::relay_uot(stream_, **socket, first, core_.uot);
  if (end.cause == relay::UotEnd::Cause::client_ended) {
    co_await within(stream_.finish(), core_.all.tuning.tcp_read_timeout);
  }
  const auto level = end.cause == relay::UotEnd::Cause::idle ? Level::debug : Level::info;
  if (core_.all.log.shown(level)) log(level, "uot end: ", between + summary(end));
}

std::vector<std::byte> TlsSession::take_early() {
  const auto bytes = early();
  std::vector<std::byte> taken(bytes.begin(), bytes.end());
  std::exchange(buffer_, {});
  filled_ = early_at_ = 0;
  return taken;
}

Task<Result<std::string>> TlsSession::read_uot_setup() {
  protocol::UotSetupReader setup;
  while (true) {
    const Result<std::size_t> taken = setup.feed(protocol::octets(early()));
    if (!taken) co_return fail(taken.error());
    early_at_ += *taken;
    if (setup.complete()) co_return setup.target();
    const Result<std::size_t> got = co_await stream_.read_some(buffer_);
    if (!got) co_return fail(got.error());
    if (*got == 0) co_return fail(relay::Errc::truncated);
    filled_ = *got;
    early_at_ = 0;
  }
}

void TlsSession::log(Level level, std::string_view what, std::string_view detail) const {
  record(core_.all.log, level, kCarrier, peer_, what, detail);
}

void TlsSession::log(Level level, std::string_view what, const Error& error) const {
  if (core_.all.log.shown(level)) log(level, what, error.text());
}

std::string TlsSession::route(const std::optional<net::Endpoint>& target_local,
                              const std::optional<net::Endpoint>& target) const {
  return peer_.text() + " -> " + text_of(stream_.local_endpoint()) + " -> " +
         text_of(target_local) + " -> " + text_of(target);
}

}  // namespace portunus::portal::server
