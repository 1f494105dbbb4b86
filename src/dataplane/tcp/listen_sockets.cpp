#include "dataplane/tcp/listen_sockets.hpp"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

#include "common/net/endpoint.hpp"

namespace portunus::dataplane::tcp {
namespace {

constexpr int kBacklog = 1024;

using net::UniqueFd;
using Socket = std::expected<UniqueFd, int>;

bool enable(int fd, int level, int option) {
  const int on = 1;
  return ::setsockopt(fd, level, option, &on, sizeof on) == 0;
}

/// A socket listening on the wildcard address; the error is an errno.
Socket listen_on(const net::Endpoint& where, bool join) {
  UniqueFd fd(::socket(where.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return std::unexpected(errno);
  if (!enable(fd.get(), SOL_SOCKET, SO_REUSEADDR)) return std::unexpected(errno);
  if (join && !enable(fd.get(), SOL_SOCKET, SO_REUSEPORT)) return std::unexpected(errno);
  if (where.address().is_v6() && !enable(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY)) {
    return std::unexpected(errno);
  }
  // Accepted sockets inherit it, which saves a call per connection.
  enable(fd.get(), IPPROTO_TCP, TCP_NODELAY);
  sockaddr_storage address;
  const socklen_t size = where.to_sockaddr(address);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      ::listen(fd.get(), kBacklog) != 0) {
    return std::unexpected(errno);
  }
  return fd;
}

/// A socket for one more worker on the port of `first`.
UniqueFd another(const net::Endpoint& where, const UniqueFd& first) {
  if (enable(first.get(), SOL_SOCKET, SO_REUSEPORT)) {
    Socket joined = listen_on(where, true);
    if (joined) return std::move(*joined);
  }
  return UniqueFd(::fcntl(first.get(), F_DUPFD_CLOEXEC, 0));
}

bool is_absent_family(int error) {
  return error == EAFNOSUPPORT || error == EADDRNOTAVAIL || error == EOPNOTSUPP;
}

std::string_view reason_of(int error) {
  if (error == EADDRINUSE) return "port_in_use";
  if (error == EACCES || error == EPERM) return "permission_denied";
  return "bind_failed";
}

/// One pair per worker; the error is a failure reason.
std::expected<std::vector<ListenPair>, std::string_view> bind_port(std::uint16_t port,
                                                                   unsigned workers) {
  const net::Endpoint any_v6(net::IpAddress::any_v6(), port);
  const net::Endpoint any_v4(net::IpAddress::any_v4(), port);
  Socket v6 = listen_on(any_v6, false);
  if (!v6 && !is_absent_family(v6.error())) return std::unexpected(reason_of(v6.error()));
  Socket v4 = listen_on(any_v4, false);
  if (!v4) return std::unexpected(reason_of(v4.error()));

  std::vector<ListenPair> pairs(workers);
  for (unsigned i = 1; i < workers; ++i) {
    pairs[i].v4 = another(any_v4, *v4);
    if (v6) pairs[i].v6 = another(any_v6, *v6);
    if (!pairs[i].v4 || (v6 && !pairs[i].v6)) return std::unexpected("bind_failed");
  }
  pairs[0].v4 = std::move(*v4);
  if (v6) pairs[0].v6 = std::move(*v6);
  return pairs;
}

}  // namespace

std::expected<ListenSockets, BindFailure> bind_ports(std::uint16_t first, std::uint32_t count,
                                                     unsigned workers) {
  ListenSockets sockets(workers);
  for (auto& ports : sockets) ports.reserve(count);
  for (std::uint32_t offset = 0; offset < count; ++offset) {
    const auto port = static_cast<std::uint16_t>(first + offset);
    auto pairs = bind_port(port, workers);
    if (!pairs) return std::unexpected(BindFailure{port, pairs.error()});
    for (unsigned i = 0; i < workers; ++i) sockets[i].push_back(std::move((*pairs)[i]));
  }
  return sockets;
}

}  // namespace portunus::dataplane::tcp
