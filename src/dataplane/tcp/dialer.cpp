#include "dataplane/tcp/dialer.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

namespace portunus::dataplane::tcp {
namespace {

/// data-plane section 1: requested before connect, errors ignored.
constexpr int kSocketBuffer = 1 << 20;

void set_option(int fd, int level, int option, int value) {
  ::setsockopt(fd, level, option, &value, sizeof value);
}

}  // namespace

std::expected<net::UniqueFd, int> begin_dial(const net::Endpoint& target) {
  net::UniqueFd fd(::socket(target.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return std::unexpected(errno);
  set_option(fd.get(), SOL_SOCKET, SO_SNDBUF, kSocketBuffer);
  set_option(fd.get(), SOL_SOCKET, SO_RCVBUF, kSocketBuffer);
  set_option(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  sockaddr_storage address;
  const socklen_t size = target.to_sockaddr(address);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0 &&
      errno != EINPROGRESS) {
    return std::unexpected(errno);
  }
  return fd;
}

}  // namespace portunus::dataplane::tcp
