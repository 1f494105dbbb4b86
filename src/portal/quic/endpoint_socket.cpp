#include "portal/quic/endpoint_socket.hpp"

#include <sys/epoll.h>

#include "common/base/assert.hpp"

namespace portunus::portal::quic {

namespace {

constexpr std::uint32_t kReadable = EPOLLIN | EPOLLET;

}  // namespace

bool UdpSocket::watch(dataplane::reactor::Poller& poller) {
  poller_ = &poller;
  return poller.watch(fd(), *this, kReadable);
}

/// EPOLLOUT is not asked for otherwise: it would wake us whenever a packet has left.
void UdpSocket::watch_for_room(bool wanted) {
  if (wanted == wants_room_) return;
  wants_room_ = wanted;
  const std::uint32_t room = wanted ? std::uint32_t{EPOLLOUT} : 0U;
  const bool changed = poller_->rewatch(fd(), *this, kReadable | room);
  PORTUNUS_ASSERT(changed);
}

void UdpSocket::close() {
  Deferred::unlink();
  // A descriptor that shares its socket with another one stays in the poller when it is closed.
  if (poller_ != nullptr && fd() >= 0) poller_->unwatch(fd());
  bound_.fd.reset();
}

void UdpSocket::on_ready(std::uint32_t events) {
  if (fd() < 0) return;
  if (wants_room_ && (events & EPOLLOUT) != 0) {
    watch_for_room(false);
    endpoint_.socket_writable();
  }
  if (fd() >= 0 && (events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) endpoint_.receive(*this);
}

void UdpSocket::run_deferred() {
  if (fd() >= 0) endpoint_.receive(*this);
}

}  // namespace portunus::portal::quic
