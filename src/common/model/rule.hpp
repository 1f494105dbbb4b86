#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/ids.hpp"
#include "common/base/result.hpp"
#include "common/model/rate_limit.hpp"
#include "common/net/endpoint.hpp"
#include "common/net/hostname.hpp"

namespace portunus::model {

enum class Protocol : std::uint8_t { tcp, udp };
std::string_view protocol_name(Protocol protocol);

/// PROXY protocol header written before the payload (data-plane section 10).
enum class ProxyVersion : std::uint8_t { v1, v2 };
/// "v1", "v2".
std::string_view proxy_version_name(ProxyVersion version);

/// Where a rule sends its connections. `host` is canonical: an IPv4 literal, a bracketed IPv6
/// literal, or a lower-case DNS name.
struct Target {
  std::string host;
  std::uint16_t port = 0;
  /// Lower is preferred; ties by row order (FO-1).
  std::uint32_t priority = 0;
  std::optional<ProxyVersion> proxy = {};

  /// "host:port".
  std::string text() const { return host + ":" + std::to_string(port); }
  /// The address to dial when the host is a literal; nothing for a DNS name.
  std::optional<net::Endpoint> literal() const;
  friend bool operator==(const Target&, const Target&) = default;
};

/// IPv4, [IPv6] or an RFC 1123 name, canonical; the fault otherwise. A bare IPv6 literal is
/// refused (data-plane DNS-1).
std::expected<std::string, net::HostnameFault> parse_target_host(std::string_view text);

/// Most rows of a rule's target list, and most ports of a range unless configured otherwise.
inline constexpr std::size_t kMaxTargets = 8;
inline constexpr std::uint32_t kDefaultMaxPorts = 1024;

/// `*.` and at least two labels, or an exact name; canonical (data-plane SNI-1). The pattern
/// trimmed and in lower case, or nothing.
std::optional<std::string> parse_sni_pattern(std::string_view text);

/// What an edge needs to run a rule: consecutive listen ports to consecutive ports of one target,
/// or one listen port to a list of targets.
struct RuleSpec {
  RuleId id;
  Protocol protocol = Protocol::tcp;
  std::uint16_t listen_port = 0;
  /// How many consecutive ports listen; port listen_port + i goes to the target's port + i.
  std::uint32_t ports = 1;
  /// 1..8 rows in submission order; exactly one with a range.
  std::vector<Target> targets = {};
  /// Given as a list: then it travels as one, even with a single row (control-wire section 3).
  bool listed = false;
  /// Absent and false both mean IPv4 first, but stay distinguishable on the wire.
  std::optional<bool> prefer_ipv6 = {};
  /// Active probes, in seconds (FO-9); absent = passive, with recovery probes (FO-10).
  std::optional<std::uint32_t> health_check_interval_secs = {};
  std::optional<std::string> sni_pattern = {};
  std::optional<RateLimit> rate_limit = {};
  /// The owning user's id; empty = the peer sent none.
  std::string owner_id = {};
  /// The name in the standalone program's file, for its log lines; empty elsewhere, never travels.
  std::string label = {};

  std::uint16_t last_listen_port() const {
    return static_cast<std::uint16_t>(listen_port + ports - 1);
  }
  bool overlaps(const RuleSpec& other) const {
    return listen_port <= other.last_listen_port() && other.listen_port <= last_listen_port();
  }
  /// The first row; `targets` must not be empty.
  const Target& target() const { return targets.front(); }
  /// Several targets: health, failover and per-target statistics (data-plane section 9).
  bool multi_target() const { return targets.size() > 1; }
  friend bool operator==(const RuleSpec&, const RuleSpec&) = default;
};

/// What a UDP rule takes from outside of itself: of the session's Welcome, or of its file.
struct UdpSettings {
  /// 30..300 s.
  std::chrono::seconds flow_idle{60};
  /// 1..65535, over all ports and cores of the rule.
  std::uint32_t max_flows = 1024;
  friend bool operator==(const UdpSettings&, const UdpSettings&) = default;
};

}  // namespace portunus::model
