#include "dataplane/udp/listener.hpp"

#include <sys/epoll.h>

#include <cerrno>
#include <chrono>
#include <utility>

#include "dataplane/udp/rule_slice.hpp"
#include "dataplane/udp/udp_rule.hpp"
#include "dataplane/udp/worker.hpp"

namespace portunus::dataplane::udp {
namespace {

/// data-plane section 1.
constexpr std::chrono::milliseconds kPause(50);

}  // namespace

Listener::Listener(RuleSlice& slice, boost::asio::io_context& context, BoundPort bound)
    : slice_(slice),
      fd_(std::move(bound.fd)),
      offset_(bound.offset),
      port_(static_cast<std::uint16_t>(slice.rule().spec().listen_port + bound.offset)),
      first_(bound.first),
      meter_(slice.shard()),
      retry_(context) {
  meter_.set_port(offset_);
}

bool Listener::start() {
  return slice_.worker().poller.watch(fd_.get(), *this, EPOLLIN | EPOLLET);
}

void Listener::close() {
  if (!fd_) return;
  retry_.cancel();
  Deferred::unlink();
  fd_.reset();
  if (first_) slice_.rule().events().listener_drained(port_);
}

void Listener::receive() {
  if (!fd_ || paused_) return;
  Worker& worker = slice_.worker();
  const int count = worker.from_sources.receive(fd_.get());
  if (count < 0) {
    if (count != -EAGAIN) pause(-count);
    return;
  }
  worker.inbound.dispatch(*this, static_cast<unsigned>(count));
  // One batch a turn; whether there is more shows in the next.
  if (count == ReceiveArena::kSlots && !Deferred::is_linked()) {
    worker.poller.run_next_round(*this);
  }
}

void Listener::pause(int error) {
  slice_.rule().events().listener_recv_failed(port_, error);
  paused_ = true;
  retry_.expires_after(kPause);
  retry_.async_wait([this](const boost::system::error_code& ec) {
    if (ec || !fd_) return;
    paused_ = false;
    if (!Deferred::is_linked()) slice_.worker().poller.run_next_round(*this);
  });
}

}  // namespace portunus::dataplane::udp
