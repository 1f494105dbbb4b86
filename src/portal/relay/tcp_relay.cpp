#include "portal/relay/tcp_relay.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <utility>

#include "common/async/cancelled.hpp"
#include "common/async/yield.hpp"
#include "common/base/deadline.hpp"
#include "portal/relay/errc.hpp"
#include "portal/relay/paced.hpp"

namespace portunus::portal::relay {
namespace {

namespace asio = boost::asio;
using async::kTuple;

/// What one direction may move before the other connections of its core have a turn.
constexpr std::size_t kShare = std::size_t{1} << 20;

/// One relay while it runs. Lives in the coroutine frame of relay_tcp.
class Relay {
 public:
  Relay(const asio::any_io_executor& executor, ByteStream& client, ByteStream& target,
        const RelayTerms& terms)
      : client_(client),
        target_(target),
        terms_(terms),
        up_pause_(executor),
        down_pause_(executor),
        grace_(executor, SteadyTime::max()) {}

  Task<void> uplink(std::span<const std::byte> early) {
    return carry(client_, target_, &Relay::send_up, early);
  }
  Task<void> downlink() { return carry(target_, client_, &Relay::send_down, {}); }
  /// Ends the relay when the grace is over or the caller is cancelled.
  Task<void> watch();
  RelayEnd end(bool cancelled) const;

 private:
  /// Paces, counts and writes. False when the relay has ended meanwhile.
  using Send = Task<bool> (Relay::*)(std::span<const std::byte> bytes);
  Task<void> carry(ByteStream& from, ByteStream& to, Send send, std::span<const std::byte> early);
  Task<bool> send_up(std::span<const std::byte> bytes);
  Task<bool> send_down(std::span<const std::byte> bytes);
  void half_ended();
  void fail_with(const Error& error);
  void stop();

  ByteStream& client_;
  ByteStream& target_;
  const RelayTerms& terms_;
  asio::steady_timer up_pause_;
  asio::steady_timer down_pause_;
  asio::steady_timer grace_;
  std::optional<Error> error_;
  std::uint64_t up_ = 0;
  std::uint64_t down_ = 0;
  int halves_ended_ = 0;
  bool grace_over_ = false;
  bool stopped_ = false;
};

Task<bool> Relay::send_up(std::span<const std::byte> bytes) {
  up_ += bytes.size();
  terms_.counters.tcp_rx.add(bytes.size());
  // Nobody would wake a pause that begins when all has been stopped.
  if (stopped_) co_return false;
  if (terms_.pacers.uplink.limited()) {
    co_await pace(terms_.pacers.uplink, up_pause_, bytes.size());
    if (stopped_) co_return false;
  }
  const Result<> written = co_await target_.write_all(bytes);
  if (!written) fail_with(written.error());
  co_return written.has_value();
}

Task<bool> Relay::send_down(std::span<const std::byte> bytes) {
  if (stopped_) co_return false;
  if (terms_.pacers.downlink.limited()) {
    co_await pace(terms_.pacers.downlink, down_pause_, bytes.size());
    if (stopped_) co_return false;
  }
  const Result<> written = co_await client_.write_all(bytes);
  if (!written) {
    fail_with(written.error());
    co_return false;
  }
  down_ += bytes.size();
  terms_.counters.tcp_tx.add(bytes.size());
  co_return true;
}

Task<void> Relay::carry(ByteStream& from, ByteStream& to, Send send,
                        std::span<const std::byte> early) {
  co_await asio::this_coro::throw_if_cancelled(false);
  // A buffer of 0 sees the end before anything, what was read early included.
  const bool blind = terms_.buffers.size() == 0;
  if (!early.empty() && !blind) {
    const bool sent = co_await (this->*send)(early);
    if (!sent) co_return;
  }
  std::size_t share = 0;
  while (!stopped_) {
    if (!blind) co_await from.readable();
    const BufferPool::Lease buffer = terms_.buffers.take();
    if (!buffer.valid()) co_return fail_with(Errc::no_memory);
    const Result<std::size_t> got = co_await from.read_some(buffer.span());
    if (!got) co_return fail_with(got.error());
    if (*got == 0) break;
    const bool sent = co_await (this->*send)(buffer.span().first(*got));
    if (!sent) co_return;
    if ((share += *got) >= kShare) {
      share = 0;
      co_await async::yield();
    }
  }
  if (stopped_) co_return;
  half_ended();
  const Result<> finished = co_await to.finish();
  if (!finished) fail_with(finished.error());
}

Task<void> Relay::watch() {
  co_await asio::this_coro::throw_if_cancelled(false);
  while (true) {
    const auto [ec] = co_await grace_.async_wait(kTuple);
    const bool cancelled = co_await async::cancelled();
    if (cancelled) {
      // By the relay itself when it is over, or else by its caller.
      if (halves_ended_ < 2) stop();
      co_return;
    }
    if (ec) continue;  // half_ended() has set it to a new instant
    grace_over_ = !stopped_;
    grace_.expires_at(SteadyTime::max());
    stop();
  }
}

void Relay::half_ended() {
  ++halves_ended_;
  if (halves_ended_ > 1) return;
  grace_.expires_at(deadline_after(std::chrono::steady_clock::now(), terms_.half_close_grace));
}

void Relay::fail_with(const Error& error) {
  if (!stopped_) error_ = error;
  stop();
}

void Relay::stop() {
  stopped_ = true;
  client_.abort();
  target_.abort();
  up_pause_.cancel();
  down_pause_.cancel();
}

RelayEnd Relay::end(bool cancelled) const {
  RelayEnd end{.cause = RelayEnd::Cause::both_ended, .error = {}, .uplink = up_, .downlink = down_};
  if (cancelled) {
    end.cause = RelayEnd::Cause::stopped;
  } else if (error_) {
    end.cause = RelayEnd::Cause::failed;
    end.error = error_;
  } else if (grace_over_) {
    end.cause = RelayEnd::Cause::grace_expired;
  }
  return end;
}

}  // namespace

Task<RelayEnd> relay_tcp(ByteStream& client, ByteStream& target, std::span<const std::byte> early,
                         const RelayTerms& terms) {
  using namespace asio::experimental::awaitable_operators;  // NOLINT
  co_await asio::this_coro::throw_if_cancelled(false);
  // A cancellation that came before would not interrupt the waits below.
  const bool before = co_await async::cancelled();
  if (before) {
    client.abort();
    target.abort();
    co_return RelayEnd{.cause = RelayEnd::Cause::stopped, .error = {}, .uplink = 0, .downlink = 0};
  }
  const auto executor = co_await asio::this_coro::executor;
  Relay relay(executor, client, target, terms);
  co_await ((relay.uplink(early) && relay.downlink()) || relay.watch());
  const bool cancelled = co_await async::cancelled();
  co_return relay.end(cancelled);
}

}  // namespace portunus::portal::relay
