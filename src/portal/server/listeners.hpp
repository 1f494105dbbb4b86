#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/net/endpoint.hpp"
#include "common/net/unique_fd.hpp"

namespace portunus::portal::server {

/// The addresses that the URL's host stands for, in the order of the table (portal 8): both
/// wildcards for an empty host, the literal itself, or the first address of a name. Blocks for a
/// name.
Result<std::vector<net::Endpoint>> listen_addresses(const std::string& host, std::uint16_t port);

struct ListenSocket {
  net::UniqueFd fd;
  /// With the real port.
  net::Endpoint local;
};

/// Listening TCP sockets on all of them, or none: SO_REUSEADDR, IPV6_V6ONLY, backlog 1024,
/// non-blocking. The error's detail names the address.
Result<std::vector<ListenSocket>> bind_tcp(std::span<const net::Endpoint> addresses);

}  // namespace portunus::portal::server
