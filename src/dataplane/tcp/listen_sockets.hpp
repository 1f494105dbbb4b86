#pragma once

#include <cstdint>
#include <expected>
#include <string_view>
#include <vector>

#include "common/net/unique_fd.hpp"

namespace portunus::dataplane::tcp {

/// One worker's listening sockets of a port; v6 is absent on a host without IPv6.
struct ListenPair {
  net::UniqueFd v6;
  net::UniqueFd v4;
};

/// Listening sockets of consecutive ports: [worker][offset of the port].
using ListenSockets = std::vector<std::vector<ListenPair>>;

struct BindFailure {
  std::uint16_t port;
  /// Of data-plane section 2: "port_in_use", "permission_denied" or "bind_failed".
  std::string_view reason;
};

/// Binds `count` ports from `first` on, ascending, all or none, each exclusively, and spreads them
/// over `workers` (at least 1) pairs of listening sockets per port (TCP-1..3, RNG-3, D10).
///
/// The first socket of each family binds and listens without SO_REUSEPORT: whoever holds the port
/// collides with it, whatever options his socket carries. Only then it joins with one further
/// socket per worker, among which the kernel spreads connections; where joining fails, workers
/// share the first socket. On a failure nothing is bound any more. Never blocks.
std::expected<ListenSockets, BindFailure> bind_ports(std::uint16_t first, std::uint32_t count,
                                                     unsigned workers);

}  // namespace portunus::dataplane::tcp
