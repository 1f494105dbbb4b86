#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/ids.hpp"
#include "common/base/result.hpp"
#include "common/net/endpoint.hpp"
#include "common/net/hostname.hpp"

namespace portunus::model {

enum class Protocol : std::uint8_t { tcp, udp };
std::string_view protocol_name(Protocol protocol);

/// Where a rule sends its connections. `host` is canonical: an IPv4 literal, a bracketed IPv6
/// literal, or a lower-case DNS name.
struct Target {
  std::string host;
  std::uint16_t port = 0;

  /// "host:port".
  std::string text() const { return host + ":" + std::to_string(port); }
  /// The address to dial when the host is a literal; nothing for a DNS name.
  std::optional<net::Endpoint> literal() const;
  friend bool operator==(const Target&, const Target&) = default;
};

/// IPv4, [IPv6] or an RFC 1123 name, canonical; the fault otherwise. A bare IPv6 literal is
/// refused (data-plane DNS-1).
std::expected<std::string, net::HostnameFault> parse_target_host(std::string_view text);

/// What an edge needs to run a rule: one TCP listen port to one target.
struct RuleSpec {
  RuleId id;
  Protocol protocol = Protocol::tcp;
  std::uint16_t listen_port = 0;
  Target target;
  /// Absent and false both mean IPv4 first, but stay distinguishable on the wire.
  std::optional<bool> prefer_ipv6;
  /// The owning user's id; empty = the peer sent none.
  std::string owner_id;
  friend bool operator==(const RuleSpec&, const RuleSpec&) = default;
};

}  // namespace portunus::model
