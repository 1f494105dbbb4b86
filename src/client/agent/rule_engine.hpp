#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/async/task.hpp"
#include "common/base/ids.hpp"
#include "common/model/rate_limit.hpp"
#include "common/model/rule.hpp"
#include "common/model/traffic.hpp"

namespace portunus::client::agent {

/// What the agent needs of a forwarding engine. Called on the agent's executor, where its
/// coroutines also resume.
class RuleEngine {
 public:
  virtual ~RuleEngine() = default;

  /// Who hears, on the agent's executor, of a live rule that died by itself (LIFE-5): all that it
  /// ever moved, and the reason. Nothing of it is left. Set before the first activation, and
  /// emptied at the end.
  using OnRuleFailed = std::function<void(const model::RuleTraffic& last, std::string reason)>;
  virtual void on_rule_failed(OnRuleFailed notify) = 0;

  /// Binds and forwards, all or nothing; the error is a failure reason of data-plane section 2. The
  /// id is not live. Ports of removed rules are free, whatever still drains.
  virtual async::Task<std::expected<void, std::string>> activate(model::RuleSpec rule,
                                                                 model::UdpSettings udp) = 0;

  /// Stops accepting at once, with the call; the task ends when the last connection is gone, which
  /// is forced after `grace`. Its result is all that the rule ever moved, its drain included.
  virtual async::Task<model::RuleTraffic> remove(RuleId id,
                                                 std::chrono::steady_clock::duration grace) = 0;

  /// Other caps, or other UDP settings, for a live rule; nothing of it is touched (LIFE-4).
  virtual void limit_rule(RuleId id, const std::optional<model::RateLimit>& limit) = 0;
  virtual void tune_udp(RuleId id, model::UdpSettings udp) = 0;

  /// What binds all rules of an owner, present and to come; nothing = no caps.
  virtual void limit_owner(std::string_view owner_id,
                           const std::optional<model::RateLimit>& limit) = 0;
  virtual void set_quota(std::string_view owner_id, std::uint64_t remaining, bool exhausted) = 0;
  virtual void remove_quota(std::string_view owner_id) = 0;

  /// One entry per live rule, cumulative since its activation.
  virtual std::vector<model::RuleTraffic> counters() const = 0;
  /// The entry of one live rule.
  virtual std::optional<model::RuleTraffic> counters(RuleId id) const = 0;
  /// The same of the rules that are being removed and still drain.
  virtual std::vector<model::RuleTraffic> draining() const = 0;
  /// One entry per port in SNI mode, cumulative since it entered it.
  virtual std::vector<model::SniPortTraffic> sni_ports() const = 0;
  /// One entry per owner with anything to say, cumulative over the process.
  virtual std::vector<model::OwnerTraffic> owners() const = 0;
};

}  // namespace portunus::client::agent
