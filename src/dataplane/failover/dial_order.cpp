#include "dataplane/failover/dial_order.hpp"

#include <algorithm>

#include "common/base/assert.hpp"

namespace portunus::dataplane::failover {

Order preference(std::span<const model::Target> targets) {
  PORTUNUS_ASSERT(targets.size() <= model::kMaxTargets);
  Order order;
  order.count = static_cast<std::uint8_t>(targets.size());
  for (std::uint8_t row = 0; row < order.count; ++row) order.rows[row] = row;
  std::sort(order.rows.begin(), order.rows.begin() + order.count,
            [&](std::uint8_t a, std::uint8_t b) {
              return targets[a].priority != targets[b].priority
                         ? targets[a].priority < targets[b].priority
                         : a < b;
            });
  return order;
}

Order dial_order(const Order& preference, std::span<const TargetHealth> health) {
  Order order = preference;
  const auto end = order.rows.begin() + order.count;
  const auto healthy = std::find_if(order.rows.begin(), end, [&](std::uint8_t row) {
    return health[row].health() == Health::healthy;
  });
  if (healthy != end) std::rotate(order.rows.begin(), healthy, healthy + 1);
  return order;
}

}  // namespace portunus::dataplane::failover
