#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/net/endpoint.hpp"

namespace portunus::portal::protocol {

inline constexpr std::size_t kMaxTarget = 512;
/// The TCP request that turns a TLS/TCP connection into a UDP flow (portal 6.4).
inline constexpr std::string_view kUotTarget = "uot.nowhere.invalid:0";

/// The grammar all frames share (portal 6.5). Looser than what can be dialled: `:443` and `h:abc`
/// pass. Errc::bad_target_length or Errc::bad_target.
Result<> check_target(std::string_view target);

/// A target that may be resolved and dialled.
struct DialTarget {
  /// A name to look up; empty when the target is an address.
  std::string name;
  std::optional<net::IpAddress> address;
  std::uint16_t port = 0;
};

/// What a target means at dial time (portal 6.5): a decimal port of 16 bits, a host that is not
/// empty, brackets around IPv6 and around nothing else. A mapped address is taken as IPv4.
Result<DialTarget> parse_dial_target(std::string_view target);

}  // namespace portunus::portal::protocol
