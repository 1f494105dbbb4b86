#include "portal/server/quic_session.hpp"

#include <array>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>
#include <utility>
#include <variant>

#include "common/async/cancelled.hpp"
#include "common/async/within.hpp"
#include "portal/protocol/auth_frame.hpp"
#include "portal/protocol/errc.hpp"
#include "portal/protocol/tcp_request.hpp"
#include "portal/relay/auth_deadline.hpp"
#include "portal/relay/errc.hpp"
#include "portal/server/session_record.hpp"

namespace portunus::portal::server {

/// A request and what came in one piece with it.
struct RequestInput {
  explicit RequestInput(const protocol::Spec& spec) : reader(spec) {}
  std::span<const std::byte> early() const {
    return std::span(buffer).subspan(taken, filled - taken);
  }

  protocol::TcpRequestReader reader;
  std::array<std::byte, 2048> buffer;
  std::size_t filled = 0;
  std::size_t taken = 0;
};

namespace {

namespace asio = boost::asio;
using async::Task;
using async::within;
using log::Level;

/// Portal 9.
constexpr std::uint64_t kAccessDenied = 1;
constexpr std::string_view kAccessDeniedReason = "access denied";
constexpr std::size_t kEarlyBytes = 65'536;

}  // namespace

QuicSession::QuicSession(CoreServices& core, std::shared_ptr<quic::Connection> connection,
                         std::shared_ptr<void> slot)
    : core_(core),
      connection_(std::move(connection)),
      slot_(std::move(slot)),
      gate_(core.context.get_executor()),
      flows_(core, *connection_, gate_) {}

Task<void> QuicSession::run(std::unique_ptr<QuicSession> self) {
  co_await asio::this_coro::throw_if_cancelled(false);
  self->gate_.spawn(self->take_datagrams());
  co_await self->serve();
  self->auth_stream_.reset();
  self->connection_->close(0, {});
  self->flows_.close_all();
  self->gate_.request_stop();
  // Only what it started is waited for, and all of that ends soon.
  while (!self->gate_.idle()) co_await self->gate_.drain(std::chrono::hours(1));
}

Task<void> QuicSession::serve() {
  bool over = co_await async::cancelled();
  if (over) co_return;
  const bool secured = co_await shake_hands();
  over = co_await async::cancelled();
  if (!secured || over) co_return;
  const bool authentic = co_await authenticate();
  over = co_await async::cancelled();
  if (!authentic || over) co_return;
  for (;;) {
    auto stream = co_await connection_->accept_stream();
    over = co_await async::cancelled();
    if (!stream || over) break;
    gate_.spawn(serve_stream(std::move(*stream)));
  }
  const auto& ending = connection_->ending();
  if (ending) log(Level::debug, "connection ended: ", make_error_code(ending->cause).message());
}

Task<bool> QuicSession::shake_hands() {
  const auto done = co_await connection_->handshake();
  if (done) co_return true;
  slot_.reset();
  const bool stopped = co_await async::cancelled();
  if (stopped) {
    log(Level::debug, "tls: ended by shutdown");
  } else {
    log(Level::error, "tls: ", done.error().text());
  }
  co_return false;
}

Task<bool> QuicSession::authenticate() {
  const SteadyTime now = std::chrono::steady_clock::now();
  const auto deadline = relay::AuthDeadline::start(now, core_.all.tuning.handshake_timeout);
  auto read = co_await within(read_auth_stream(), deadline.at() - now);
  // A stream that was there at once wins against a timer that was due at once, as one of 0 is.
  if (std::chrono::steady_clock::now() >= deadline.at()) read.reset();
  bool stopped = co_await async::cancelled();
  if (read && *read && !stopped) {
    slot_.reset();
    auth_stream_.reset();
    connection_->raise_credit(core_.all.tuning.quic_max_streams);
    authenticated_ = true;
    deliver_kept();
    co_return true;
  }
  // Whatever was wrong, and however soon it was known, it looks the same from outside. A peer that
  // has gone keeps its place until then too.
  if (!stopped) {
    co_await async::sleep_until(deadline.at());
    stopped = co_await async::cancelled();
  }
  if (!stopped) connection_->close(kAccessDenied, kAccessDeniedReason);
  slot_.reset();
  if (stopped) {
    log(Level::debug, "auth: ended by shutdown");
  } else if (!read) {
    log(Level::error, "auth: no complete authentication stream in time");
  } else {
    log(Level::error, "auth: ", read->error().text());
  }
  co_return false;
}

/// The frame and then FIN. Our half carries nothing and ends when reading does, pass or fail.
Task<Result<>> QuicSession::read_auth_stream() {
  auto stream = co_await connection_->accept_stream();
  if (!stream) co_return fail(stream.error());
  auth_stream_ = std::move(*stream);
  const std::size_t size = core_.all.spec.auth_frame_size();
  std::array<std::byte, protocol::kMaxAuthFrame + 1> frame;
  std::size_t filled = 0;
  // One byte more than the frame, to see what follows it.
  while (filled <= size) {
    const auto got =
        co_await auth_stream_->read_some(std::span(frame).subspan(filled, size + 1 - filled));
    if (!got) {
      auth_stream_->finish_now();
      co_return fail(got.error());
    }
    if (*got == 0) break;
    filled += *got;
  }
  auth_stream_->finish_now();
  if (filled > size) co_return fail(protocol::Errc::trailing_auth_bytes);
  if (filled < size) co_return fail(relay::Errc::truncated);
  co_return protocol::verify_auth_frame(core_.all.spec, core_.all.key,
                                        protocol::octets(std::span(frame).first(size)));
}

/// From the first packet on: what comes early must not wait in the connection.
Task<void> QuicSession::take_datagrams() {
  co_await asio::this_coro::throw_if_cancelled(false);
  for (;;) {
    const bool there = co_await connection_->wait_for_datagram();
    if (!there) co_return;
    if (!authenticated_) {
      keep_early();
      continue;
    }
    while (const auto datagram = connection_->front_datagram()) {
      flows_.take(*datagram);
      connection_->pop_datagram();
    }
  }
}

void QuicSession::keep_early() {
  while (const auto datagram = connection_->front_datagram()) {
    // One too short for a header would cost a place and no bytes: it is dropped, and recorded, now.
    if (datagram->size() < protocol::kMinDatagramHeader) {
      flows_.take(*datagram);
    } else if (early_bytes_ + datagram->size() <= kEarlyBytes) {
      early_bytes_ += datagram->size();
      early_.emplace_back(datagram->begin(), datagram->end());
    }
    connection_->pop_datagram();
  }
}

void QuicSession::deliver_kept() {
  // Some may not have been taken off yet.
  keep_early();
  for (const auto& datagram : std::exchange(early_, {})) flows_.take(datagram);
}

void QuicSession::refuse(quic::Stream& stream) {
  stream.finish_now();
  stream.stop_reading();
}

Task<void> QuicSession::serve_stream(std::unique_ptr<quic::Stream> stream) {
  co_await asio::this_coro::throw_if_cancelled(false);
  RequestInput input(core_.all.spec);
  const auto read =
      co_await within(read_request(*stream, input), core_.all.tuning.handshake_timeout);
  const bool over = co_await async::cancelled();
  if (over) co_return;
  if (read && *read && !input.reader.is_uot()) {
    co_await relay(*stream, input);
    co_return;
  }
  refuse(*stream);
  if (!read) {
    log(Level::error, "request: not complete in time");
  } else if (!*read) {
    log(Level::error, "request: ", read->error().text());
  } else {
    log(Level::error, "request: UDP over TCP is no target on QUIC");
  }
}

Task<Result<>> QuicSession::read_request(quic::Stream& stream, RequestInput& input) {
  while (!input.reader.complete()) {
    const Result<std::size_t> got = co_await stream.read_some(input.buffer);
    if (!got) co_return fail(got.error());
    if (*got == 0) co_return fail(relay::Errc::truncated);
    input.filled = *got;
    const auto taken =
        input.reader.feed(protocol::octets(std::span(input.buffer).first(input.filled)));
    if (!taken) co_return fail(taken.error());
    input.taken = *taken;
  }
  co_return Result<>{};
}

Task<void> QuicSession::relay(quic::Stream& stream, RequestInput& input) {
  using namespace asio::experimental::awaitable_operators;  // NOLINT
  const relay::Counted counted(core_.counters.tcps);
  // Nobody reads the stream meanwhile, so a peer that gives it up would not be noticed.
  auto first = co_await (
      core_.all.dialer.dial_tcp(input.reader.target(), connection_->remote_endpoint().address()) ||
      stream.given_up());
  const bool over = co_await async::cancelled();
  if (over) co_return;
  if (first.index() == 1) {
    log(Level::debug, "dial tcp " + input.reader.target() + ": ", "given up by the client");
    co_return;
  }
  const auto target = std::get<0>(std::move(first));
  if (!target) {
    refuse(stream);
    log(Level::error, "dial tcp " + input.reader.target() + ": ", target.error().text());
    co_return;
  }
  const bool told = core_.all.log.shown(Level::info);
  const std::string between = told ? text_of(stream.local_endpoint()) + " -> " +
                                         text_of((*target)->local_endpoint()) + " -> " +
                                         text_of((*target)->peer_endpoint())
                                   : std::string();
  if (told) log(Level::info, "tcp start: ", between);
  const relay::RelayEnd end = co_await relay::relay_tcp(stream, **target, input.early(), core_.tcp);
  if (told) log(Level::info, "tcp end: ", between + summary(end));
}

void QuicSession::log(Level level, std::string_view what, std::string_view detail) const {
  if (!core_.all.log.shown(level)) return;
  record(core_.all.log, level, "quic", connection_->remote_endpoint(), what, detail);
}

}  // namespace portunus::portal::server
