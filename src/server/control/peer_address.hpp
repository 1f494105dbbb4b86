#pragma once

#include <string>
#include <string_view>

namespace portunus::server::control {

/// gRPC's name of a peer ("ipv4:192.0.2.1:5000", "ipv6:%5B2001:db8::1%5D:5000") as `ip:port` or
/// `[ip6]:port`. A name of another kind is returned as it is.
std::string peer_address(std::string_view peer);

}  // namespace portunus::server::control
