#pragma once

#include <cstdint>
#include <expected>
#include <string_view>
#include <vector>

#include "common/net/unique_fd.hpp"

namespace portunus::dataplane::udp {

/// One worker's socket of one port.
struct BoundPort {
  /// Of the port in the rule's range.
  std::uint16_t offset = 0;
  net::UniqueFd fd;
  /// The first of the port's sockets, or its only one.
  bool first = true;
};
/// By worker; a worker that serves no port of the rule has an empty list.
using BoundPorts = std::vector<std::vector<BoundPort>>;

struct BindFailure {
  /// "port_in_use", "permission_denied" or "bind_failed" (data-plane section 2).
  std::string_view reason;
  std::uint16_t port;
};

/// A rule has at most this many sockets for the sake of its cores: as long as it does, each of its
/// ports has one on every worker, among which the kernel spreads the sources. A larger range gives
/// each port to one worker, in turn, so that 1024 ports take 1024 descriptors on any machine.
inline constexpr std::uint32_t kMostSharedSockets = 64;

/// Binds consecutive ports of the IPv4 wildcard, ascending, all or none (RNG-3).
///
/// A port's first socket binds with neither SO_REUSEADDR nor SO_REUSEPORT, so whoever holds the
/// port collides with it, whatever options his socket carries (UDP-1, TCP-2). Only then it joins
/// with one further socket per worker; where that fails, the first worker serves the port. Nothing
/// is received before the sockets of a port are complete, so a source meets the same one from its
/// first datagram on. What is bound is what is used. Never blocks.
std::expected<BoundPorts, BindFailure> bind_ports(std::uint16_t first, std::uint32_t count,
                                                  unsigned workers, bool gro);

}  // namespace portunus::dataplane::udp
