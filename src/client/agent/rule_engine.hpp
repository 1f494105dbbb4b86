#pragma once

#include <chrono>
#include <expected>
#include <string>
#include <vector>

#include "common/async/task.hpp"
#include "common/base/ids.hpp"
#include "common/model/rule.hpp"
#include "common/model/traffic.hpp"

namespace portunus::client::agent {

/// What the agent needs of a forwarding engine. Called on the agent's executor, where its
/// coroutines also resume.
class RuleEngine {
 public:
  virtual ~RuleEngine() = default;

  /// Binds and forwards, all or nothing; the error is a failure reason of data-plane section 2. The
  /// id is not live. Ports of removed rules are free, whatever still drains.
  virtual async::Task<std::expected<void, std::string>> activate(model::RuleSpec rule) = 0;

  /// Stops accepting at once, with the call; the task ends when the last connection is gone, which
  /// is forced after `grace`. Its result is all that the rule ever moved, its drain included.
  virtual async::Task<model::RuleTraffic> remove(RuleId id,
                                                 std::chrono::steady_clock::duration grace) = 0;

  /// One entry per live rule, cumulative since its activation.
  virtual std::vector<model::RuleTraffic> counters() const = 0;
};

}  // namespace portunus::client::agent
