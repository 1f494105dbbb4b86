#pragma once

#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "common/base/clock.hpp"
#include "dataplane/dns/resolver.hpp"
#include "dataplane/reactor/poller.hpp"
#include "dataplane/rules/core_reports.hpp"
#include "dataplane/stats/rule_counters.hpp"
#include "dataplane/udp/bind_ports.hpp"
#include "dataplane/udp/flow.hpp"
#include "dataplane/udp/fwd.hpp"
#include "dataplane/udp/listener.hpp"
#include "dataplane/udp/udp_rule.hpp"

namespace portunus::dataplane::udp {

/// What one worker has of one rule: its listen ports, its flows, and the sweep that ends idle ones
/// (UDP-13). Lives on the worker's thread, which owns it, and stays in memory after close() for the
/// timers that have already expired.
class RuleSlice final : private reactor::Deferred {
 public:
  RuleSlice(Worker& worker, std::shared_ptr<UdpRule> rule, rules::CoreReports reports);
  RuleSlice(const RuleSlice&) = delete;
  RuleSlice& operator=(const RuleSlice&) = delete;

  /// The port whose socket the poller refused, if any.
  std::optional<std::uint16_t> listen(std::vector<BoundPort> ports);
  /// Ends everything at once, in the order of UDP-16. Idempotent.
  void close();
  void end_flows();

  Worker& worker() { return worker_; }
  UdpRule& rule() { return *rule_; }
  stats::TrafficShard& shard() { return shard_; }
  const rules::CoreReports& reports() const { return reports_; }

  /// Flows report what becomes of them.
  void adopt(Flow& flow);
  void on_flow_built() { --building_; }
  void on_flow_gone() { --flow_count_; }
  /// Flows under construction.
  unsigned building() const { return building_; }

  /// The addresses of that row's name while they are fresh, so that a new flow of a busy rule need
  /// not go through the resolver.
  std::shared_ptr<const dns::Addresses> known(std::size_t row, SteadyTime now) const;
  void learn(std::size_t row, std::shared_ptr<const dns::Addresses> addresses);

 private:
  using Flows = boost::intrusive::list<Flow, boost::intrusive::base_hook<FlowHook>,
                                       boost::intrusive::constant_time_size<false>>;

  void run_deferred() override { sweep(); }
  void schedule_sweep();
  void begin_sweep();
  void sweep();

  Worker& worker_;
  const std::shared_ptr<UdpRule> rule_;
  stats::TrafficShard& shard_;
  const rules::CoreReports reports_;
  /// In place, because flows and the poller point to them.
  std::list<Listener> listeners_;
  Flows flows_;
  std::size_t flow_count_ = 0;
  unsigned building_ = 0;
  std::vector<std::shared_ptr<const dns::Addresses>> addresses_;
  boost::asio::steady_timer sweep_timer_;
  bool sweep_scheduled_ = false;
  bool closed_ = false;
  std::size_t sweep_left_ = 0;
};

}  // namespace portunus::dataplane::udp
