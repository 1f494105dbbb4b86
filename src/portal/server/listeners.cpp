#include "portal/server/listeners.hpp"

#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "portal/relay/socket_endpoints.hpp"
#include "portal/server/errc.hpp"

namespace portunus::portal::server {
namespace {

constexpr int kBacklog = 1024;

bool enable(int fd, int level, int option) {
  const int on = 1;
  return ::setsockopt(fd, level, option, &on, sizeof on) == 0;
}

std::unexpected<Error> bind_error(const net::Endpoint& where, int error) {
  const std::string reason = std::system_category().message(error);
  return fail(Error(Errc::bind_failed, "tcp " + where.text() + ": " + reason));
}

Result<ListenSocket> listen_on(const net::Endpoint& where) {
  net::UniqueFd fd(::socket(where.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd || !enable(fd.get(), SOL_SOCKET, SO_REUSEADDR)) return bind_error(where, errno);
  if (where.address().is_v6() && !enable(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY)) {
    return bind_error(where, errno);
  }
  // Accepted sockets inherit it.
  enable(fd.get(), IPPROTO_TCP, TCP_NODELAY);
  sockaddr_storage address;
  const socklen_t size = where.to_sockaddr(address);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      ::listen(fd.get(), kBacklog) != 0) {
    return bind_error(where, errno);
  }
  const net::Endpoint local = relay::local_of(fd.get()).value_or(where);
  return ListenSocket{std::move(fd), local};
}

Result<net::Endpoint> first_address(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (error != 0) {
    return fail(Error(Errc::host_unresolved, host + ": " + ::gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> list(found, &::freeaddrinfo);
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    sockaddr_storage storage{};
    std::memcpy(&storage, at->ai_addr, at->ai_addrlen);
    const auto endpoint = net::Endpoint::from_sockaddr(storage);
    if (endpoint) return net::Endpoint(endpoint->address(), port);
  }
  return fail(Error(Errc::host_unresolved, host));
}

}  // namespace

Result<std::vector<net::Endpoint>> listen_addresses(const std::string& host, std::uint16_t port) {
  if (host.empty()) {
    return std::vector{net::Endpoint(net::IpAddress::any_v4(), port),
                       net::Endpoint(net::IpAddress::any_v6(), port)};
  }
  if (const auto literal = net::IpAddress::parse(host)) {
    return std::vector{net::Endpoint(*literal, port)};
  }
  const Result<net::Endpoint> first = first_address(host, port);
  if (!first) return fail(first.error());
  return std::vector{*first};
}

Result<std::vector<ListenSocket>> bind_tcp(std::span<const net::Endpoint> addresses) {
  std::vector<ListenSocket> sockets;
  for (const net::Endpoint& address : addresses) {
    Result<ListenSocket> bound = listen_on(address);
    if (!bound) return fail(bound.error());
    sockets.push_back(std::move(*bound));
  }
  return sockets;
}

}  // namespace portunus::portal::server
