#include "dataplane/udp/udp_rule.hpp"

#include <utility>

namespace portunus::dataplane::udp {
namespace {

std::int64_t millis(std::chrono::milliseconds duration) {
  return duration.count();
}

}  // namespace

UdpRule::UdpRule(std::shared_ptr<rules::LiveRule> live, const model::UdpSettings& settings)
    : live_(std::move(live)),
      events_(*live_),
      idle_ms_(millis(settings.flow_idle)),
      max_flows_(settings.max_flows) {}

void UdpRule::tune(const model::UdpSettings& settings) {
  idle_ms_.store(millis(settings.flow_idle), std::memory_order_relaxed);
  max_flows_.store(settings.max_flows, std::memory_order_relaxed);
}

bool UdpRule::reserve_flow() {
  std::uint32_t now = flows_.load(std::memory_order_relaxed);
  do {
    if (now >= max_flows()) return false;
  } while (!flows_.compare_exchange_weak(now, now + 1, std::memory_order_relaxed));
  return true;
}

}  // namespace portunus::dataplane::udp
