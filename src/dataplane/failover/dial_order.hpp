#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "common/model/rule.hpp"
#include "dataplane/failover/target_health.hpp"

namespace portunus::dataplane::failover {

/// Rows of a rule's targets, in some order.
struct Order {
  std::array<std::uint8_t, model::kMaxTargets> rows{};
  std::uint8_t count = 0;
};

/// The rows by (priority, row) (FO-1).
Order preference(std::span<const model::Target> targets);

/// In which order a connection tries: the first healthy row of the preference, then all the others
/// in preference order; with none healthy, the preference itself (FO-4).
/// `health` is indexed by row.
Order dial_order(const Order& preference, std::span<const TargetHealth> health);

}  // namespace portunus::dataplane::failover
