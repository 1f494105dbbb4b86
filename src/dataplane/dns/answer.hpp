#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.hpp"
#include "common/net/endpoint.hpp"

namespace portunus::dataplane::dns {

/// The addresses of a name, each family in the resolver's order.
struct Addresses {
  std::vector<net::IpAddress> v4;
  std::vector<net::IpAddress> v6;
  /// Until then they are fresh and may be used without asking again (DNS-4).
  SteadyTime fresh_until{};
  std::size_t size() const { return v4.size() + v6.size(); }
};

/// The closed set of reasons (data-plane section 8).
enum class Failure : std::uint8_t {
  nxdomain,  ///< no such name, or a name without addresses
  servfail,  ///< a name server answered that it cannot or will not tell
  attempt_timeout,
  all_addrs_unreachable,  ///< also: an empty answer
  resolver_overloaded,
  other,
};
std::string_view failure_name(Failure failure);

struct LookupError {
  Failure failure;
  /// For the log.
  std::string detail;
  /// The lookup lacked a descriptor, memory or a buffer of this host: nothing was learnt about the
  /// name (FO-5).
  bool of_this_host = false;
};

struct Answer {
  std::shared_ptr<const Addresses> addresses;
  enum class Source : std::uint8_t {
    lookup,  ///< a lookup was made for this
    cache,   ///< fresh
    stale,   ///< expired, in its grace: counts as a DNS failure (DNS-10)
  } source;
};

using Reply = std::expected<Answer, LookupError>;

/// The addresses in the order in which they are dialled: preferred family first (DNS-5).
std::vector<net::IpAddress> dial_order(const Addresses& addresses, bool prefer_ipv6);

}  // namespace portunus::dataplane::dns
