#include "dataplane/tcp/tcp_listener.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "common/net/accept_error.hpp"
#include "dataplane/tcp/listen_port.hpp"
#include "dataplane/tcp/worker.hpp"

namespace portunus::dataplane::tcp {
namespace {

constexpr int kMostPerWakeup = 10;
constexpr int kMostAtClose = 4096;
constexpr std::chrono::milliseconds kPause(50);
// Level-triggered: what a wake-up leaves in the queue is reported again.
constexpr std::uint32_t kInterest = EPOLLIN | EPOLLEXCLUSIVE;

/// The descriptor is not a listening socket any more.
bool is_final(int error) {
  return error == EBADF || error == EINVAL || error == ENOTSOCK;
}

}  // namespace

TcpListener::TcpListener(ListenPort& port, boost::asio::io_context& context, net::UniqueFd fd)
    : port_(port), fd_(std::move(fd)), retry_(context) {}

bool TcpListener::start() {
  return !fd_ || port_.poller().watch(fd_.get(), *this, kInterest);
}

void TcpListener::close() {
  if (!fd_) return;
  retry_.cancel();
  for (int i = 0; i < kMostAtClose && accept_one() == Taken::one; ++i) {
  }
  // Other workers may hold duplicates, so closing alone would leave it in the poller.
  port_.poller().unwatch(fd_.get());
  fd_.reset();
}

void TcpListener::on_ready(std::uint32_t) {
  if (!fd_) return;
  const std::uint64_t round = port_.poller().round();
  share_ = round == last_round_ + 1 ? std::min(share_ * 2, kMostPerWakeup) : 1;
  last_round_ = round;
  for (int i = 0; i < share_; ++i) {
    switch (accept_one()) {
      case Taken::one:
        break;
      case Taken::none:
        share_ = 1;
        return;
      case Taken::failed:
        return pause();
      case Taken::dead:
        port_.poller().unwatch(fd_.get());
        return port_.sink().on_listener_died(port_);
    }
  }
}

TcpListener::Taken TcpListener::accept_one() {
  while (true) {
    sockaddr_storage address;
    socklen_t size = sizeof address;
    net::UniqueFd fd(::accept4(fd_.get(), reinterpret_cast<sockaddr*>(&address), &size,
                               SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd) {
      const auto peer = net::Endpoint::from_sockaddr(address);
      port_.sink().on_accepted(port_, std::move(fd), peer.value_or(net::Endpoint()));
      return Taken::one;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) return Taken::none;
    if (net::is_of_the_peer(errno)) continue;
    const int error = errno;
    port_.sink().on_accept_error(port_, error);
    return is_final(error) ? Taken::dead : Taken::failed;
  }
}

void TcpListener::pause() {
  port_.poller().unwatch(fd_.get());
  retry_.expires_after(kPause);
  retry_.async_wait([this](const boost::system::error_code& ec) {
    if (!ec && fd_ && !start()) pause();
  });
}

}  // namespace portunus::dataplane::tcp
