#include "dataplane/dns/answer.hpp"

#include <utility>

namespace portunus::dataplane::dns {

std::string_view failure_name(Failure failure) {
  switch (failure) {
    case Failure::nxdomain:
      return "nxdomain";
    case Failure::servfail:
      return "servfail";
    case Failure::attempt_timeout:
      return "attempt_timeout";
    case Failure::all_addrs_unreachable:
      return "all_addrs_unreachable";
    case Failure::resolver_overloaded:
      return "resolver_overloaded";
    case Failure::other:
      return "other";
  }
  std::unreachable();
}

std::vector<net::IpAddress> dial_order(const Addresses& addresses, bool prefer_ipv6) {
  const auto& first = prefer_ipv6 ? addresses.v6 : addresses.v4;
  const auto& second = prefer_ipv6 ? addresses.v4 : addresses.v6;
  std::vector<net::IpAddress> order;
  order.reserve(addresses.size());
  order.insert(order.end(), first.begin(), first.end());
  order.insert(order.end(), second.begin(), second.end());
  return order;
}

}  // namespace portunus::dataplane::dns
