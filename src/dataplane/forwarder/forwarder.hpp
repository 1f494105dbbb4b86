#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/async/task.hpp"
#include "common/log/event.hpp"
#include "common/model/rule.hpp"
#include "common/model/traffic.hpp"

namespace portunus::dataplane {

struct ForwarderOptions {
  /// Worker threads, one io_context each; 0 = one per core of this process.
  unsigned workers = 0;
  /// False forces the user-space copy path (PORTUNUS_DISABLE_SPLICE, SPL-8).
  bool splice = true;
  /// Name servers, "ip:port"; empty = the host's resolver configuration.
  std::string dns_servers = {};
  /// False moves datagrams one by one even where the kernel could join and split them (GRO, GSO).
  bool udp_offload = true;
  /// Of rule.failed when a rule dies by itself: an error where that ends the process.
  log::Level death_level = log::Level::warn;
};

/// The forwarding engine: listeners and connections of every rule, spread over its own worker
/// threads. Called from one executor, the owner's, where its coroutines also resume; the
/// counters alone may be read from anywhere. Stop it with drain(); the destructor aborts what is
/// left, and must not meet an activate() or a drain() that is still awaited.
class Forwarder {
 public:
  /// Starts the worker threads. Throws std::system_error when the system refuses.
  Forwarder(boost::asio::any_io_executor owner, ForwarderOptions options);
  ~Forwarder();
  Forwarder(const Forwarder&) = delete;
  Forwarder& operator=(const Forwarder&) = delete;

  /// Called on the owner's executor when a live rule died by itself, which released everything it
  /// held: all that it ever moved, and the reason, "unexpected_task_exit:<role>" (LIFE-5). Set
  /// before the first activation.
  using OnRuleFailed = std::function<void(const model::RuleTraffic& last, std::string reason)>;
  void on_rule_failed(OnRuleFailed notify);

  /// Binds every listener of the rule, all or none, and starts forwarding (LIFE-2). The id must
  /// not be live. The error is a failure reason of data-plane section 2, e.g. "port_in_use".
  /// A removed rule whose connections still drain does not hinder a new activation, also of the
  /// same id: it counts on its own.
  async::Task<std::expected<void, std::string>> activate(model::RuleSpec rule,
                                                         model::UdpSettings udp = {});

  /// Closes the listeners at once, with the call; the task ends when the last connection is gone,
  /// which is forced after `grace` (DRN-1..3). Its result is all that the rule ever moved: what a
  /// drain delivers is counted too (DRN-5). Unknown ids end at once, with zeroes. UDP flows end at
  /// once (UDP-16).
  async::Task<model::RuleTraffic> remove(RuleId id, std::chrono::steady_clock::duration grace);

  /// Takes another envelope into force on a live rule; no listener and no connection is touched
  /// (LIFE-4, RL-10). Unknown ids are ignored.
  void limit_rule(RuleId id, const std::optional<model::RateLimit>& envelope);
  /// Takes other UDP settings into force on a live rule, which is adopted in place.
  void tune_udp(RuleId id, model::UdpSettings udp);
  /// The envelope of an owner on this edge, nothing = no caps; outlives rules (RL-12).
  void limit_owner(std::string_view owner_id, const std::optional<model::RateLimit>& envelope);
  /// The quota of an owner: SET with what remains, and REMOVE (data-plane section 13).
  void set_quota(std::string_view owner_id, std::uint64_t remaining, bool exhausted);
  void remove_quota(std::string_view owner_id);

  /// True from a successful activate() to the call of remove().
  bool live(RuleId id) const;

  /// One entry per live rule, cumulative since its activation (data-plane section 15).
  std::vector<model::RuleTraffic> counters() const;
  /// The entry of one live rule.
  std::optional<model::RuleTraffic> counters(RuleId id) const;
  /// The same of the rules that are being removed and still drain, in the order of their removals.
  std::vector<model::RuleTraffic> draining() const;
  /// One entry per live rule: what is shown locally only.
  std::vector<model::LocalTraffic> local_counters() const;
  /// One entry per listen port in SNI mode, cumulative since the port entered it.
  std::vector<model::SniPortTraffic> sni_ports() const;
  /// One entry per owner with any non-zero statistic, cumulative over the process (RL-12).
  std::vector<model::OwnerTraffic> owners() const;

  /// Removes every rule as remove() does and stops the workers (DRN-7).
  async::Task<> drain(std::chrono::steady_clock::duration grace);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace portunus::dataplane
