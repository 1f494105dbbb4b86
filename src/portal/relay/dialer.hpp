#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/async/task.hpp"
#include "common/base/result.hpp"
#include "common/net/endpoint.hpp"
#include "dataplane/dns/resolver.hpp"
#include "portal/relay/tcp_stream.hpp"
#include "portal/relay/udp_target.hpp"

namespace portunus::portal::relay {

struct DialSettings {
  /// The URL's `dial`: bound first, and only its family is used; nothing = `auto`.
  std::optional<net::IpAddress> bind;
  /// Each for the resolution and all attempts together (portal 11, 12, 13).
  std::chrono::nanoseconds tcp_timeout{};
  std::chrono::nanoseconds udp_timeout{};
};

/// What the resolver of such dials must allow: no time-out of its own before theirs, and as many
/// lookups that no client takes all of them (portal 11).
dataplane::dns::Limits lookup_limits(const DialSettings& settings);

/// Connects to targets: a literal at once, a name through the process's resolver, its addresses one
/// after the other. Immutable; used from any thread, and works on the one of the caller, whose
/// cancellation ends a dial with Errc::aborted.
class Dialer {
 public:
  /// `resolver` is kept by the caller and stopped after the last dial.
  Dialer(dataplane::dns::Resolver& resolver, DialSettings settings)
      : resolver_(resolver), settings_(settings) {}

  /// `target` is host:port as it stood in the frame (portal 6.5), `client` the one it came from,
  /// whose share of the lookups it may need.
  async::Task<Result<std::unique_ptr<TcpStream>>> dial_tcp(std::string target,
                                                           net::IpAddress client) const;
  async::Task<Result<std::unique_ptr<UdpTarget>>> dial_udp(std::string target,
                                                           net::IpAddress client) const;

 private:
  using Addresses = std::vector<net::Endpoint>;

  async::Task<Result<Addresses>> resolve(std::string target, net::IpAddress client) const;
  async::Task<Result<std::unique_ptr<TcpStream>>> try_tcp(std::string target,
                                                          net::IpAddress client) const;
  async::Task<Result<std::unique_ptr<UdpTarget>>> try_udp(std::string target,
                                                          net::IpAddress client) const;

  dataplane::dns::Resolver& resolver_;
  const DialSettings settings_;
};

}  // namespace portunus::portal::relay
