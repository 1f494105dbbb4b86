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

/// Binds a port exclusively and spreads it over `workers` (at least 1) pairs of listening sockets,
/// the result's size (TCP-1..3, D10).
///
/// The first socket of each family binds and listens without SO_REUSEPORT: whoever holds the port
/// collides with it, whatever options his socket carries. Only then it joins with one further
/// socket per worker, among which the kernel spreads connections; where joining fails, workers
/// share the first socket. The error is a failure reason of data-plane section 2: "port_in_use",
/// "permission_denied" or "bind_failed". Never blocks.
std::expected<std::vector<ListenPair>, std::string_view> bind_port(std::uint16_t port,
                                                                   unsigned workers);

}  // namespace portunus::dataplane::tcp
