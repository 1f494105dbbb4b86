#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "common/async/task.hpp"
#include "common/model/rule.hpp"
#include "common/model/traffic.hpp"

namespace portunus::dataplane {

struct ForwarderOptions {
  /// Worker threads, one io_context each; 0 = one per core of this process.
  unsigned workers = 0;
  /// False forces the user-space copy path (PORTUNUS_DISABLE_SPLICE, SPL-8).
  bool splice = true;
};

/// The forwarding engine: listeners and connections of every rule, spread over its own worker
/// threads. Called from one executor, the owner's, where its coroutines also resume; counters()
/// alone may be called from anywhere. Stop it with drain(); the destructor aborts what is left,
/// and must not meet an activate() or a drain() that is still awaited.
class Forwarder {
 public:
  /// Starts the worker threads. Throws std::system_error when the system refuses.
  Forwarder(boost::asio::any_io_executor owner, ForwarderOptions options);
  ~Forwarder();
  Forwarder(const Forwarder&) = delete;
  Forwarder& operator=(const Forwarder&) = delete;

  /// Binds every listener of the rule, all or none, and starts forwarding (LIFE-2). The id must
  /// not be live. The error is a failure reason of data-plane section 2, e.g. "port_in_use".
  /// A removed rule whose connections still drain does not hinder a new activation, also of the
  /// same id: it counts on its own.
  async::Task<std::expected<void, std::string>> activate(model::RuleSpec rule);

  /// Closes the listeners at once, with the call; the task ends when the last connection is gone,
  /// which is forced after `grace` (DRN-1..3). Its result is all that the rule ever moved: what a
  /// drain delivers is counted too (DRN-5). Unknown ids end at once, with zeroes.
  async::Task<model::RuleTraffic> remove(RuleId id, std::chrono::steady_clock::duration grace);

  /// True from a successful activate() to the call of remove().
  bool live(RuleId id) const;

  /// One entry per live rule, cumulative since its activation (data-plane section 15).
  std::vector<model::RuleTraffic> counters() const;

  /// Removes every rule as remove() does and stops the workers (DRN-7).
  async::Task<> drain(std::chrono::steady_clock::duration grace);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace portunus::dataplane
