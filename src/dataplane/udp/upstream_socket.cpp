#include "dataplane/udp/upstream_socket.hpp"

#include <netinet/udp.h>
#include <sys/socket.h>

#include <cerrno>

namespace portunus::dataplane::udp {
namespace {

/// data-plane section 1: requested before connect, errors ignored.
constexpr int kSocketBuffer = 1 << 20;

void set_option(int fd, int level, int option, int value) {
  ::setsockopt(fd, level, option, &value, sizeof value);
}

const sockaddr* generic(const sockaddr_storage& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

}  // namespace

std::expected<net::UniqueFd, UpstreamFailure> connect_upstream(const net::Endpoint& target,
                                                               bool gro) {
  net::UniqueFd fd(::socket(target.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return std::unexpected(UpstreamFailure{errno, false});
  set_option(fd.get(), SOL_SOCKET, SO_SNDBUF, kSocketBuffer);
  set_option(fd.get(), SOL_SOCKET, SO_RCVBUF, kSocketBuffer);
  if (gro) set_option(fd.get(), IPPROTO_UDP, UDP_GRO, 1);
  const bool v6 = target.address().is_v6();
  const net::Endpoint any(v6 ? net::IpAddress::any_v6() : net::IpAddress::any_v4(), 0);
  sockaddr_storage address;
  socklen_t size = any.to_sockaddr(address);
  if (::bind(fd.get(), generic(address), size) != 0) {
    return std::unexpected(UpstreamFailure{errno, false});
  }
  size = target.to_sockaddr(address);
  if (::connect(fd.get(), generic(address), size) != 0) {
    return std::unexpected(UpstreamFailure{errno, true});
  }
  return fd;
}

net::Endpoint peer_of(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  return net::Endpoint::from_sockaddr(address).value_or(net::Endpoint());
}

}  // namespace portunus::dataplane::udp
