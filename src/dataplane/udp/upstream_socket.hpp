#pragma once

#include <expected>

#include "common/net/endpoint.hpp"
#include "common/net/unique_fd.hpp"

namespace portunus::dataplane::udp {

struct UpstreamFailure {
  int error;
  /// False: there was no socket or no port for it, whatever the target.
  bool connecting;
};

/// A flow's own socket: on an ephemeral wildcard port of the target's family and connected, so that
/// the kernel keeps strangers out and reports what ICMP says of the target (UDP-3). Never blocks.
std::expected<net::UniqueFd, UpstreamFailure> connect_upstream(const net::Endpoint& target,
                                                               bool gro);

/// Where a connected socket leads, for the log.
net::Endpoint peer_of(int fd);

}  // namespace portunus::dataplane::udp
