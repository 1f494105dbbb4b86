#pragma once

#include <cstdint>

#include "common/base/ids.hpp"

namespace portunus::model {

/// What one rule has moved. Counters are cumulative from an origin that the holder names; gauges
/// are momentary.
struct RuleTraffic {
  RuleId rule;
  /// Payload bytes delivered to upstreams / to downstreams (data-plane CNT-1).
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  /// Gauge: live TCP connections.
  std::uint32_t active_connections = 0;
  friend bool operator==(const RuleTraffic&, const RuleTraffic&) = default;
};

}  // namespace portunus::model
