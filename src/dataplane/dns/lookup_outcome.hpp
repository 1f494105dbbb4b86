#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <vector>

#include "common/net/endpoint.hpp"
#include "dataplane/dns/answer.hpp"

namespace portunus::dataplane::dns {

/// What one lookup found. No addresses at all is possible: the cache makes a failure of it (DNS-4).
struct Resolved {
  std::vector<net::IpAddress> v4;
  std::vector<net::IpAddress> v6;
  /// Smallest TTL of the answer in seconds, aliases included. The hosts file has none; c-ares says
  /// 0 then, which comes to the same.
  std::optional<std::uint32_t> ttl;
};

using LookupOutcome = std::expected<Resolved, LookupError>;

}  // namespace portunus::dataplane::dns
