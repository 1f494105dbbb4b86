#pragma once

#include <array>
#include <cstdint>

#include "common/base/clock.hpp"
#include "dataplane/limits/direction.hpp"
#include "dataplane/limits/limiter.hpp"
#include "dataplane/quota/quota_gate.hpp"
#include "dataplane/rules/live_rule.hpp"
#include "dataplane/udp/send_batch.hpp"

namespace portunus::dataplane::udp {

/// What datagrams pay before they leave: the owner's quota (QUO-6), then bandwidth, owner before
/// rule (RL-8). Remembers the quota taken until the send is over, because what was not accepted
/// gets it back (UDP-12). A worker has one, used for one send at a time.
class Toll {
 public:
  enum class Verdict : std::uint8_t { pass, quota, bandwidth };

  void start(rules::LiveRule& rule, limits::Direction direction, SteadyTime now);
  /// For what has paid its bandwidth before: quota alone is asked.
  void start_paid(rules::LiveRule& rule);
  /// Nobody meters and nobody shapes: everything passes, unasked.
  bool free() const { return !quota_ && !owner_ && !rule_; }
  /// May one datagram of this size leave? Only while not full().
  Verdict ask(std::uint32_t bytes);
  bool full() const { return taken_ == kMost; }
  /// The first `accepted` of those that passed have left; ready for more.
  void settle(std::uint32_t accepted);

 private:
  static constexpr unsigned kMost = SendBatch::kSingles;

  bool shaped_out(std::uint32_t bytes);

  // Each null where there is nothing to ask.
  quota::QuotaGate* quota_ = nullptr;
  limits::Limiter* owner_ = nullptr;
  limits::Limiter* rule_ = nullptr;
  limits::Direction direction_ = limits::Direction::in;
  SteadyTime now_{};
  unsigned taken_ = 0;
  std::array<quota::QuotaGate::Grant, kMost> grants_;
};

}  // namespace portunus::dataplane::udp
