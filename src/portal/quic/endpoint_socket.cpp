#include "portal/quic/endpoint_socket.hpp"

#include <sys/epoll.h>

namespace portunus::portal::quic {

bool UdpSocket::watch(dataplane::reactor::Poller& poller) {
  if (wants_room_) poller.unwatch(fd());
  wants_room_ = false;
  poller_ = &poller;
  return poller.watch(fd(), *this, EPOLLIN | EPOLLET);
}

/// EPOLLOUT is not asked for otherwise: it would wake us whenever a packet has left.
bool UdpSocket::watch_for_room() {
  if (wants_room_) return true;
  poller_->unwatch(fd());
  wants_room_ = true;
  return poller_->watch(fd(), *this, EPOLLIN | EPOLLOUT | EPOLLET);
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
    watch(*poller_);
    endpoint_.socket_writable();
  }
  if (fd() >= 0 && (events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) endpoint_.receive(*this);
}

void UdpSocket::run_deferred() {
  if (fd() >= 0) endpoint_.receive(*this);
}

}  // namespace portunus::portal::quic
