#include "portal/server/quic_flow.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>
#include <utility>
#include <variant>

#include "common/base/deadline.hpp"
#include "portal/relay/buffer.hpp"
#include "portal/relay/errc.hpp"
#include "portal/relay/paced.hpp"

namespace portunus::portal::server {
namespace {

namespace asio = boost::asio;
using async::kTuple;
using async::Task;

constexpr std::size_t kWaitingBytes = 1024 * 1024;
/// Of one flow in a row, before others have a turn.
constexpr int kRepliesInARow = 32;

}  // namespace

QuicFlow::QuicFlow(QuicFlows& owner, std::uint64_t id, std::string target)
    : owner_(owner),
      core_(owner.core_),
      id_(id),
      target_(std::move(target)),
      header_(protocol::datagram_header_size(target_.size())),
      waiting_(kWaitingBytes),
      more_waiting_(core_.context.get_executor()),
      up_pause_(core_.context),
      down_pause_(core_.context),
      idle_(core_.context) {
  protocol::encode_datagram_header(core_.all.spec, protocol::DatagramType::response, id_, target_,
                                   header_);
}

Task<void> QuicFlow::run(std::shared_ptr<QuicFlow> self) {
  using namespace asio::experimental::awaitable_operators;  // NOLINT
  co_await asio::this_coro::throw_if_cancelled(false);
  // A dial must not outlive its flow's place in the table, which bounds how many there are.
  auto first = co_await (self->core_.all.dialer.dial_udp(
                             self->target_, self->owner_.connection_.remote_endpoint().address()) ||
                         self->closed());
  if (self->closed_ || first.index() == 1) {
    self->owner_.log(log::Level::debug, "dial udp " + self->target_ + ": ", "closed meanwhile");
    co_return self->close();
  }
  auto dialled = std::get<0>(std::move(first));
  if (!dialled) {
    self->owner_.log(log::Level::error, "dial udp " + self->target_ + ": ", dialled.error().text());
    self->close();
    co_return;
  }
  self->socket_ = std::move(*dialled);
  const relay::Counted counted(self->core_.counters.udps);
  const std::string between = self->core_.all.log.shown(log::Level::info)
                                  ? self->owner_.connection_.local_endpoint().text() + " -> " +
                                        self->socket_->local_endpoint().text() + " -> " +
                                        self->socket_->remote_endpoint().text()
                                  : std::string();
  self->owner_.log(log::Level::info, "udp start: ", between);
  self->touch();
  self->watch_idle(deadline_after(self->active_, self->core_.all.tuning.udp_idle_timeout));
  self->owner_.gate_.spawn(send_waiting(self));
  co_await self->carry_replies();
  self->close();
  self->owner_.log(self->expired_ ? log::Level::debug : log::Level::info,
                   self->expired_ ? "udp end, idle: " : "udp end: ", between);
}

void QuicFlow::close() {
  if (std::exchange(closed_, true)) return;
  owner_.remove(*this);
  if (socket_ != nullptr) socket_->close();
  up_pause_.cancel();
  down_pause_.cancel();
  idle_.cancel();
  waiting_.clear();
  more_waiting_.notify();
}

/// Ends with close().
Task<void> QuicFlow::closed() {
  while (!closed_) {
    const bool go_on = co_await more_waiting_.wait();
    if (!go_on) co_return;
  }
}

/// The common case costs one system call and no hop.
void QuicFlow::send(protocol::Bytes payload) {
  if (closed_) return;
  touch();
  const bool at_once =
      socket_ != nullptr && !sending_ && waiting_.empty() && !core_.all.pacers.uplink.limited();
  if (at_once && send_now(payload)) return;
  if (closed_) return;
  waiting_.push(payload);
  more_waiting_.notify();
}

/// False when it must wait. A send error ends the flow, and the client hears nothing (portal 12).
bool QuicFlow::send_now(protocol::Bytes payload) {
  const Result<bool> gone = socket_->try_send(std::as_bytes(payload));
  if (gone && !*gone) return false;
  if (gone) {
    count_sent(payload.size());
  } else {
    close();
  }
  return true;
}

void QuicFlow::count_sent(std::size_t bytes) {
  core_.counters.udp_rx.add(bytes);
}

Task<void> QuicFlow::send_waiting(std::shared_ptr<QuicFlow> self) {
  co_await asio::this_coro::throw_if_cancelled(false);
  relay::Pacer& pacer = self->core_.all.pacers.uplink;
  std::vector<std::byte> packet;
  while (!self->closed_) {
    const auto front = self->waiting_.front();
    if (!front) {
      const bool go_on = co_await self->more_waiting_.wait();
      if (!go_on) co_return;
      continue;
    }
    const auto bytes = std::as_bytes(*front);
    packet.assign(bytes.begin(), bytes.end());
    self->waiting_.pop();
    // What follows must not overtake it.
    self->sending_ = true;
    if (pacer.limited() && !packet.empty()) {
      co_await relay::pace(pacer, self->up_pause_, packet.size());
      if (self->closed_) co_return;
    }
    const auto sent = co_await self->socket_->send(packet);
    if (self->closed_) co_return;
    if (!sent) {
      self->close();
      co_return;
    }
    self->count_sent(packet.size());
    self->sending_ = false;
  }
}

Task<void> QuicFlow::carry_replies() {
  relay::Pacer& pacer = core_.all.pacers.downlink;
  const relay::Buffer buffer(core_.all.tuning.udp_buffer_size);
  if (!buffer.valid()) {
    owner_.log(log::Level::error, "udp: ", make_error_code(relay::Errc::no_memory).message());
    co_return;
  }
  while (!closed_) {
    auto got = co_await socket_->receive(buffer.span());
    for (int i = 0; got && !closed_; ++i) {
      const std::span<const std::byte> packet = buffer.span().first(*got);
      core_.counters.udp_tx.add(packet.size());
      if (pacer.limited() && !packet.empty()) {
        co_await relay::pace(pacer, down_pause_, packet.size());
        if (closed_) co_return;
      }
      if (!packet.empty()) {
        touch();
        // One that does not fit now is lost and stays counted.
        owner_.connection_.send_datagram(header_, protocol::octets(packet));
      }
      if (i == kRepliesInARow) break;
      got = socket_->try_receive(buffer.span());
    }
    if (!got && got.error().code != std::errc::operation_would_block &&
        got.error().code != std::errc::resource_unavailable_try_again) {
      co_return;
    }
  }
}

/// Traffic only notes when it came; the timer looks at that when it rings.
void QuicFlow::watch_idle(SteadyTime when) {
  idle_.expires_at(when);
  idle_.async_wait([self = shared_from_this()](const boost::system::error_code& ec) {
    if (ec || self->closed_) return;
    const SteadyTime due = deadline_after(self->active_, self->core_.all.tuning.udp_idle_timeout);
    if (std::chrono::steady_clock::now() < due) return self->watch_idle(due);
    self->expired_ = true;
    self->close();
  });
}

}  // namespace portunus::portal::server
