#include "portal/relay/uot_flow.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

#include "common/async/cancelled.hpp"
#include "common/async/yield.hpp"
#include "common/base/deadline.hpp"
#include "portal/protocol/uot.hpp"
#include "portal/relay/buffer.hpp"
#include "portal/relay/errc.hpp"
#include "portal/relay/paced.hpp"

namespace portunus::portal::relay {
namespace {

namespace asio = boost::asio;
using async::kTuple;

constexpr std::size_t kReadSize = std::size_t{64} << 10;
/// What the uplink may move before the other connections of its core have a turn.
constexpr std::size_t kShare = std::size_t{1} << 20;

/// One flow while it runs. Lives in the coroutine frame of relay_uot.
class Flow {
 public:
  Flow(const asio::any_io_executor& executor, ByteStream& client, UdpTarget& target,
       const UotTerms& terms)
      : client_(client),
        target_(target),
        terms_(terms),
        up_pause_(executor),
        down_pause_(executor),
        idle_(executor) {
    touch();
  }

  Task<void> uplink(std::span<const std::byte> early);
  Task<void> downlink();
  /// Ends the flow when it is idle or the caller is cancelled.
  Task<void> watch();
  UotEnd end(bool cancelled) const;

 private:
  void touch() { idle_at_ = deadline_after(std::chrono::steady_clock::now(), terms_.idle_timeout); }
  /// All frames of what was read; false when the flow has ended.
  Task<bool> take(std::span<const std::byte> bytes);
  Task<bool> send_up(protocol::Bytes packet);
  void count_up(std::size_t bytes) {
    up_ += bytes;
    terms_.counters.udp_rx.add(bytes);
  }
  /// Appends packets that wait already, so that many small ones leave in one record.
  std::size_t gather(std::span<std::byte> buffer, std::size_t filled, std::size_t& payload);
  void client_ended();
  void fail_with(const Error& error);
  void stop(UotEnd::Cause cause);

  ByteStream& client_;
  UdpTarget& target_;
  const UotTerms& terms_;
  protocol::UotReader reader_;
  asio::steady_timer up_pause_;
  asio::steady_timer down_pause_;
  asio::steady_timer idle_;
  SteadyTime idle_at_;
  std::optional<UotEnd::Cause> cause_;
  std::optional<Error> error_;
  std::optional<Error> gather_error_;
  std::uint64_t up_ = 0;
  std::uint64_t down_ = 0;
  bool writing_ = false;
};

Task<bool> Flow::send_up(protocol::Bytes packet) {
  // Nobody would wake a pause that begins when all has been stopped.
  if (cause_) co_return false;
  if (terms_.pacers.uplink.limited()) {
    co_await pace(terms_.pacers.uplink, up_pause_, packet.size());
    if (cause_) co_return false;
  }
  const Result<> sent = co_await target_.send(std::as_bytes(packet));
  if (!sent) {
    fail_with(sent.error());
    co_return false;
  }
  count_up(packet.size());
  co_return !cause_;
}

Task<bool> Flow::take(std::span<const std::byte> bytes) {
  protocol::Bytes rest = protocol::octets(bytes);
  while (!rest.empty()) {
    const protocol::UotReader::Step step = reader_.feed(rest);
    rest = rest.subspan(step.consumed);
    if (!step.packet) continue;
    touch();
    // Most packets find room and no limit: they cost a system call and nothing else.
    if (!terms_.pacers.uplink.limited()) {
      const Result<bool> gone = target_.try_send(std::as_bytes(*step.packet));
      if (!gone) fail_with(gone.error());
      if (cause_) co_return false;
      if (*gone) {
        count_up(step.packet->size());
        continue;
      }
    }
    const bool sent = co_await send_up(*step.packet);
    if (!sent) co_return false;
  }
  co_return true;
}

Task<void> Flow::uplink(std::span<const std::byte> early) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const Buffer buffer(kReadSize);
  if (!buffer.valid()) co_return fail_with(Errc::no_memory);
  bool go_on = co_await take(early);
  std::size_t share = 0;
  while (go_on) {
    const Result<std::size_t> got = co_await client_.read_some(buffer.span());
    if (!got) co_return fail_with(got.error());
    if (*got == 0) co_return client_ended();
    go_on = co_await take(buffer.span().first(*got));
    if ((share += *got) >= kShare) {
      share = 0;
      co_await async::yield();
    }
  }
}

std::size_t Flow::gather(std::span<std::byte> buffer, std::size_t filled, std::size_t& payload) {
  const std::size_t room = protocol::kUotLengthSize + terms_.buffer_size;
  while (buffer.size() - filled >= room) {
    const auto into = buffer.subspan(filled + protocol::kUotLengthSize, terms_.buffer_size);
    const Result<std::size_t> got = target_.try_receive(into);
    if (!got) {
      // The kernel tells it once: it ends the flow behind what has been gathered.
      if (got.error().code.value() != EAGAIN) gather_error_ = got.error();
      break;
    }
    const auto length = protocol::uot_length(*got);
    std::memcpy(buffer.data() + filled, length.data(), length.size());
    filled += length.size() + *got;
    payload += *got;
  }
  return filled;
}

Task<void> Flow::downlink() {
  co_await asio::this_coro::throw_if_cancelled(false);
  const Buffer buffer(2 * (protocol::kUotLengthSize + terms_.buffer_size));
  if (!buffer.valid()) co_return fail_with(Errc::no_memory);
  const auto first = buffer.span().subspan(protocol::kUotLengthSize, terms_.buffer_size);
  while (!cause_) {
    const Result<std::size_t> got = co_await target_.receive(first);
    if (!got) co_return fail_with(got.error());
    const auto length = protocol::uot_length(*got);
    std::memcpy(buffer.span().data(), length.data(), length.size());
    std::size_t payload = *got;
    const std::size_t filled = gather(buffer.span(), length.size() + *got, payload);
    touch();
    if (cause_) co_return;
    if (terms_.pacers.downlink.limited()) {
      co_await pace(terms_.pacers.downlink, down_pause_, payload);
      if (cause_) co_return;
    }
    writing_ = true;
    const Result<> written = co_await client_.write_all(buffer.span().first(filled));
    writing_ = false;
    if (!written) co_return fail_with(written.error());
    down_ += payload;
    terms_.counters.udp_tx.add(payload);
    if (gather_error_) co_return fail_with(*gather_error_);
  }
}

Task<void> Flow::watch() {
  co_await asio::this_coro::throw_if_cancelled(false);
  while (true) {
    idle_.expires_at(cause_ ? SteadyTime::max() : idle_at_);
    co_await idle_.async_wait(kTuple);
    const bool cancelled = co_await async::cancelled();
    if (cancelled) {
      // By the flow itself when it is over, or else by its caller.
      if (!cause_) stop(UotEnd::Cause::stopped);
      co_return;
    }
    if (!cause_ && std::chrono::steady_clock::now() >= idle_at_) stop(UotEnd::Cause::idle);
  }
}

void Flow::client_ended() {
  if (cause_) return;
  if (reader_.in_frame()) return fail_with(Errc::truncated);
  if (writing_) return stop(UotEnd::Cause::client_ended);
  cause_ = UotEnd::Cause::client_ended;
  target_.close();
  down_pause_.cancel();
}

void Flow::fail_with(const Error& error) {
  if (cause_) return;
  error_ = error;
  stop(UotEnd::Cause::failed);
}

void Flow::stop(UotEnd::Cause cause) {
  if (!cause_) cause_ = cause;
  client_.abort();
  target_.close();
  up_pause_.cancel();
  down_pause_.cancel();
}

UotEnd Flow::end(bool cancelled) const {
  UotEnd end{.cause = cause_.value_or(UotEnd::Cause::stopped),
             .error = error_,
             .uplink = up_,
             .downlink = down_};
  if (cancelled) end.cause = UotEnd::Cause::stopped;
  return end;
}

}  // namespace

Task<UotEnd> relay_uot(ByteStream& client, UdpTarget& target, std::span<const std::byte> early,
                       const UotTerms& terms) {
  using namespace asio::experimental::awaitable_operators;  // NOLINT
  co_await asio::this_coro::throw_if_cancelled(false);
  // A cancellation that came before would not interrupt the waits below.
  const bool before = co_await async::cancelled();
  if (before) {
    client.abort();
    target.close();
    co_return UotEnd{.cause = UotEnd::Cause::stopped, .error = {}, .uplink = 0, .downlink = 0};
  }
  const auto executor = co_await asio::this_coro::executor;
  Flow flow(executor, client, target, terms);
  co_await ((flow.uplink(early) && flow.downlink()) || flow.watch());
  const bool cancelled = co_await async::cancelled();
  co_return flow.end(cancelled);
}

}  // namespace portunus::portal::relay
