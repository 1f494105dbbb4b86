#include "server/control/control_listener.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <utility>

namespace portunus::server::control {
namespace {

constexpr int kAcceptsPerWakeup = 10;
/// Out of descriptors or memory: nothing gets better by trying at once.
constexpr std::chrono::milliseconds kExhaustedPause{100};

bool exhausted(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

/// What the kernel chose for port 0.
net::Endpoint bound_endpoint(int fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
  return net::Endpoint::from_sockaddr(address).value_or(net::Endpoint());
}

}  // namespace

ControlListener::ControlListener(boost::asio::any_io_executor executor, net::Endpoint endpoint)
    : acceptor_(executor), pause_(executor), endpoint_(std::move(endpoint)) {}

Result<std::shared_ptr<ControlListener>> ControlListener::open(
    boost::asio::any_io_executor executor, const net::Endpoint& endpoint) {
  net::UniqueFd fd(::socket(endpoint.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return fail_errno(errno, endpoint.text());
  // Past connections in TIME_WAIT do not keep a restarted server out; a listener does.
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_storage address;
  const socklen_t length = endpoint.to_sockaddr(address);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0 ||
      ::listen(fd.get(), SOMAXCONN) != 0) {
    return fail_errno(errno, endpoint.text());
  }
  std::shared_ptr<ControlListener> listener(
      new ControlListener(std::move(executor), bound_endpoint(fd.get())));
  boost::system::error_code ec;
  using boost::asio::ip::tcp;
  listener->acceptor_.assign(endpoint.address().is_v6() ? tcp::v6() : tcp::v4(), fd.get(), ec);
  if (ec) return fail(Error(ec, endpoint.text()));
  fd.release();
  return listener;
}

void ControlListener::start(Handover handover) {
  handover_ = std::move(handover);
  wait_for_connections();
}

void ControlListener::wait_for_connections() {
  acceptor_.async_wait(boost::asio::socket_base::wait_read,
                       [self = shared_from_this()](boost::system::error_code ec) {
                         if (ec || !self->handover_) return;
                         if (self->accept_some()) {
                           self->wait_for_connections();
                         } else {
                           self->wait_for_descriptors();
                         }
                       });
}

void ControlListener::wait_for_descriptors() {
  pause_.expires_after(kExhaustedPause);
  pause_.async_wait([self = shared_from_this()](boost::system::error_code ec) {
    if (!ec && self->handover_) self->wait_for_connections();
  });
}

bool ControlListener::accept_some() {
  for (int i = 0; i < kAcceptsPerWakeup; ++i) {
    net::UniqueFd connection(
        ::accept4(acceptor_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!connection) return !exhausted(errno);
    const int on = 1;
    ::setsockopt(connection.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    handover_(std::move(connection));
  }
  return true;
}

void ControlListener::close() {
  handover_ = nullptr;
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  pause_.cancel();
}

}  // namespace portunus::server::control
