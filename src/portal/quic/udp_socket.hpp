#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <expected>
#include <span>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/net/endpoint.hpp"
#include "common/net/unique_fd.hpp"

namespace portunus::portal::quic {

/// An address as the kernel and the QUIC library take it.
union SocketAddress {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;

  SocketAddress() : v6{} {}
  static SocketAddress from(const net::Endpoint& endpoint);
  socklen_t size() const {
    return any.sa_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  }
  net::Endpoint endpoint() const;
};

/// One worker's socket of one listened address.
struct BoundSocket {
  net::UniqueFd fd;
  net::Endpoint local;
};
/// By worker.
using BoundSockets = std::vector<std::vector<BoundSocket>>;

/// Binds every address for each of `workers` cores, all or none. An address's first socket binds
/// with neither SO_REUSEADDR nor SO_REUSEPORT, so whoever holds the port collides with it; only
/// then it joins with one more socket per core, and a filter gives each packet to the core that
/// owns its destination connection id. Where that fails, all cores share the first socket. Port 0
/// is chosen per address. IPv6 sockets are IPV6_V6ONLY; buffers of 4 MiB are asked for (portal
/// section 8). The error's detail names the address.
Result<BoundSockets> bind_sockets(std::span<const net::Endpoint> addresses, unsigned workers);

/// A client's socket: ephemeral, connected to `remote`.
Result<BoundSocket> connect_socket(const net::Endpoint& remote);

}  // namespace portunus::portal::quic
