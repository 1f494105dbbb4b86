#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/ids.hpp"

namespace portunus::model {

// What the data plane reports (data-plane section 15). Counters are cumulative from an origin that
// the holder names; gauges are momentary.

/// Why a connection or a flow was not admitted (RL-6). The first three are the rule's, the others
/// the owner's.
enum class Reject : std::uint8_t {
  conn_concurrent,
  conn_rate,
  udp_flow_rate,
  owner_concurrent,
  owner_conn_rate,
  owner_udp_flow_rate,
};
inline constexpr std::size_t kRejects = 6;
/// The word of the contract, e.g. "conn_concurrent".
std::string_view reject_name(Reject reason);

/// One limiter's statistics, of a rule or of an owner.
struct LimitTraffic {
  std::array<std::uint64_t, kRejects> rejects{};
  /// Microseconds that copying was held back.
  std::uint64_t throttle_us_in = 0;
  std::uint64_t throttle_us_out = 0;
  /// Gauge: live connections and flows under this limiter.
  std::uint32_t active = 0;
  friend bool operator==(const LimitTraffic&, const LimitTraffic&) = default;
};

/// One port of a range.
struct PortTraffic {
  std::uint16_t listen_port = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint32_t active_connections = 0;  ///< gauge, TCP
  std::uint64_t datagrams_in = 0;
  std::uint64_t datagrams_out = 0;
  friend bool operator==(const PortTraffic&, const PortTraffic&) = default;
};

/// One target of a multi-target rule.
struct TargetTraffic {
  std::uint32_t index = 0;  ///< submitted row
  std::string host;
  std::uint16_t port = 0;
  std::uint32_t priority = 0;
  /// 0 healthy, 1 failed; other values are a newer peer's.
  std::uint32_t health = 0;
  std::uint32_t consecutive_failures = 0;
  std::uint64_t last_failure_unix_ms = 0;  ///< 0 = never
  std::uint64_t last_success_unix_ms = 0;  ///< 0 = never
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t connections = 0;  ///< TCP connections or UDP flows it was given
  friend bool operator==(const TargetTraffic&, const TargetTraffic&) = default;
};

/// What one rule has moved.
struct RuleTraffic {
  RuleId rule;
  /// Payload bytes delivered to upstreams / to downstreams (CNT-1).
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint32_t active_connections = 0;  ///< gauge: live TCP connections
  std::uint32_t active_flows = 0;        ///< gauge: live UDP flows
  std::uint64_t dns_failures = 0;
  std::uint64_t datagrams_in = 0;
  std::uint64_t datagrams_out = 0;
  std::uint64_t flows_dropped_overflow = 0;
  std::uint64_t target_failovers = 0;
  std::uint64_t sni_exact = 0;
  std::uint64_t sni_wildcard = 0;
  std::uint64_t sni_fallback = 0;
  LimitTraffic limit;
  /// Ranges of more than one port only, ascending.
  std::vector<PortTraffic> ports;
  /// Multi-target rules only, in the order of the rows.
  std::vector<TargetTraffic> targets;
  friend bool operator==(const RuleTraffic&, const RuleTraffic&) = default;
};

/// Upper bounds of the buckets of the ClientHello peek histogram, in microseconds.
inline constexpr std::array<std::uint64_t, 15> kPeekBoundsMicros{
    100,    250,     500,     1'000,   2'500,     5'000,     10'000,   25'000,
    50'000, 100'000, 250'000, 500'000, 1'000'000, 2'000'000, 3'000'000};

/// One listen port in SNI mode.
struct SniPortTraffic {
  std::uint16_t listen_port = 0;
  std::uint64_t misses = 0;
  std::uint64_t parse_failures = 0;
  /// Cumulative: each counts the peeks that took at most its bound.
  std::array<std::uint64_t, kPeekBoundsMicros.size()> peek_buckets{};
  std::uint64_t peek_sum_micros = 0;
  std::uint64_t peeks = 0;
  friend bool operator==(const SniPortTraffic&, const SniPortTraffic&) = default;
};

/// One owner's limiter, over all his rules on this edge.
struct OwnerTraffic {
  std::string owner_id;
  LimitTraffic limit;
  friend bool operator==(const OwnerTraffic&, const OwnerTraffic&) = default;
};

/// Everything an edge reports at once (control-wire 2.5).
struct TrafficReport {
  std::vector<RuleTraffic> rules;
  std::vector<SniPortTraffic> sni_ports;
  std::vector<OwnerTraffic> owners;
  friend bool operator==(const TrafficReport&, const TrafficReport&) = default;
};

/// What a report added for all rules of one owner on the reporting edge: differences, no counters.
struct OwnerUsage {
  std::string owner_id;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  friend bool operator==(const OwnerUsage&, const OwnerUsage&) = default;
};

/// Counters that stay in the process that forwards: the standalone program's stats socket shows
/// them, no report carries them (data-plane section 7).
struct LocalTraffic {
  RuleId rule;
  std::uint64_t connections_total = 0;
  std::uint64_t flows_pending_drops = 0;
  std::uint64_t bandwidth_dropped_in = 0;
  std::uint64_t bandwidth_dropped_out = 0;
  std::uint64_t send_dropped = 0;
  std::uint64_t icmp_evict = 0;
  std::uint64_t emsgsize = 0;
  std::uint64_t wouldblock = 0;
  std::uint64_t addflow_dropped = 0;
  std::uint64_t upstream_connect_failed = 0;
  friend bool operator==(const LocalTraffic&, const LocalTraffic&) = default;
};

}  // namespace portunus::model
