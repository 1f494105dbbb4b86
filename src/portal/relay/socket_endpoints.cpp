#include "portal/relay/socket_endpoints.hpp"

#include <sys/socket.h>

namespace portunus::portal::relay {
namespace {

using Ask = int (*)(int, sockaddr*, socklen_t*);

std::optional<net::Endpoint> ask(Ask call, int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (call(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return std::nullopt;
  return net::Endpoint::from_sockaddr(address);
}

}  // namespace

std::optional<net::Endpoint> peer_of(int fd) {
  return ask([](int s, sockaddr* a, socklen_t* n) { return ::getpeername(s, a, n); }, fd);
}

std::optional<net::Endpoint> local_of(int fd) {
  return ask([](int s, sockaddr* a, socklen_t* n) { return ::getsockname(s, a, n); }, fd);
}

}  // namespace portunus::portal::relay
