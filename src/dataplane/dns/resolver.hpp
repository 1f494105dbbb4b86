#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
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
  nxdomain,
  servfail,
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
};

struct Answer {
  std::shared_ptr<const Addresses> addresses;
  enum class Source : std::uint8_t {
    lookup,  ///< a lookup was made for this
    cache,   ///< fresh
    stale,   ///< expired, in its grace: counts as a DNS failure (DNS-10)
  } source;
};

struct ResolverOptions {
  /// Empty = the host's configuration (resolv.conf, hosts). For tests: "127.0.0.1:5353".
  std::string servers;
};

/// The process's one resolver and cache, shared by all rules and both protocols (data-plane section
/// 8). Works on one io_context; resolve() may be called from any thread.
class Resolver {
 public:
  using Reply = std::expected<Answer, LookupError>;
  using Handler = std::move_only_function<void(Reply)>;

  Resolver(boost::asio::io_context& home, ResolverOptions options);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  /// Calls `handler` exactly once, by a post to `reply_to`, never from within this call. `name` is
  /// a lower-case host name.
  void resolve(std::string name, boost::asio::any_io_executor reply_to, Handler handler);
  /// Answers everything under way with Failure::other and lets the io_context run out of work. On
  /// the home thread.
  void stop();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

/// The addresses in the order in which they are dialled: preferred family first (DNS-5).
std::vector<net::IpAddress> dial_order(const Addresses& addresses, bool prefer_ipv6);

}  // namespace portunus::dataplane::dns
