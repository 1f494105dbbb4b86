#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>

#include "common/model/rule.hpp"
#include "dataplane/rules/live_rule.hpp"
#include "dataplane/udp/udp_events.hpp"

namespace portunus::dataplane::udp {

/// How often flows are looked over for idle ones: every quarter of the window (UDP-13).
constexpr std::chrono::milliseconds sweep_period(std::chrono::milliseconds idle_window) {
  return std::max(idle_window / 4, std::chrono::milliseconds(25));
}

/// What is UDP's own of one activation of a rule, shared by all workers: its settings, its flow cap
/// and its log lines. Every member may be used from any thread.
class UdpRule {
 public:
  UdpRule(std::shared_ptr<rules::LiveRule> live, const model::UdpSettings& settings);
  UdpRule(const UdpRule&) = delete;
  UdpRule& operator=(const UdpRule&) = delete;

  rules::LiveRule& live() { return *live_; }
  const model::RuleSpec& spec() const { return live_->spec(); }
  UdpEvents& events() { return events_; }

  /// Another session's settings. A cap below the number of flows refuses newcomers and ends nobody;
  /// another idle window counts from the next sweep on.
  void tune(const model::UdpSettings& settings);
  std::chrono::milliseconds idle_window() const {
    return std::chrono::milliseconds(idle_ms_.load(std::memory_order_relaxed));
  }
  std::uint32_t max_flows() const { return max_flows_.load(std::memory_order_relaxed); }

  /// A place under the cap, which counts flows under construction and those of all ports and
  /// workers; never more than the cap, whoever else reserves meanwhile (UDP-4). At the cap it is
  /// one load.
  bool reserve_flow();
  void release_flow() { flows_.fetch_sub(1, std::memory_order_relaxed); }
  std::uint32_t flows() const { return flows_.load(std::memory_order_relaxed); }

 private:
  const std::shared_ptr<rules::LiveRule> live_;
  UdpEvents events_;
  std::atomic<std::int64_t> idle_ms_;
  std::atomic<std::uint32_t> max_flows_;
  std::atomic<std::uint32_t> flows_{0};
};

}  // namespace portunus::dataplane::udp
