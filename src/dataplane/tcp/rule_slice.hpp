#pragma once

#include <boost/intrusive/list.hpp>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "common/net/endpoint.hpp"
#include "common/net/unique_fd.hpp"
#include "dataplane/dns/resolver.hpp"
#include "dataplane/rules/core_reports.hpp"
#include "dataplane/stats/rule_counters.hpp"
#include "dataplane/tcp/fwd.hpp"
#include "dataplane/tcp/listen_port.hpp"
#include "dataplane/tcp/listen_sockets.hpp"
#include "dataplane/tcp/tcp_rule.hpp"
#include "dataplane/tcp/tcp_session.hpp"
#include "dataplane/tcp/token_lane.hpp"

namespace portunus::dataplane::tcp {

/// What one worker has of one rule: its listening ports and its connections. Lives on the worker's
/// thread; the worker drops it when both are gone. A member of a port in SNI mode has no port of
/// its own: its connections come from that port, which keeps the slice while it may have more of
/// them.
class RuleSlice final : private PortSink {
 public:
  RuleSlice(Worker& worker, std::shared_ptr<TcpRule> rule, rules::CoreReports reports);
  RuleSlice(const RuleSlice&) = delete;
  RuleSlice& operator=(const RuleSlice&) = delete;

  /// One pair per port of the rule, ascending. The port whose socket the poller refused, if any.
  std::optional<std::uint16_t> listen(std::vector<ListenPair> sockets);
  void close_listeners();
  /// Aborts every connection, those that are still to come included (DRN-2).
  void cancel_sessions();
  /// Ends every connection because the owner has no quota left (QUO-5).
  void cut_off_sessions();
  /// Between the two the slice does not go, unless it is cancelled.
  void keep() { ++kept_; }
  void let_go();

  /// A connection of the port at `offset` of the rule's range, which the gates may refuse.
  void admit(std::uint16_t offset, net::UniqueFd accepted, const net::Endpoint& peer);
  void on_session_gone();

  /// The last answer for the target in `row`, while it is fresh; it saves the way to the resolver's
  /// thread. Null otherwise.
  std::shared_ptr<const dns::Addresses> fresh_addresses(std::size_t row) const;
  void remember(std::size_t row, std::shared_ptr<const dns::Addresses> addresses);

  Worker& worker() { return worker_; }
  TcpRule& rule() { return *rule_; }
  /// Where this worker's connections wait for bandwidth; null for a rule without an owner.
  TokenLanes* owner_lanes() { return owner_lanes_.get(); }
  TokenLanes& lanes() { return lanes_; }
  stats::TrafficShard& shard() { return shard_; }
  const rules::CoreReports& reports() const { return reports_; }

 private:
  using Sessions = boost::intrusive::list<TcpSession, boost::intrusive::base_hook<SessionHook>,
                                          boost::intrusive::constant_time_size<false>>;

  void on_accepted(ListenPort& port, net::UniqueFd accepted, const net::Endpoint& peer) override;
  void on_accept_error(ListenPort& port, int error) override;
  void on_listener_died(ListenPort& port) override;

  Worker& worker_;
  const std::shared_ptr<TcpRule> rule_;
  stats::TrafficShard& shard_;
  const rules::CoreReports reports_;
  /// Shared with the owner's other rules.
  const std::shared_ptr<TokenLanes> owner_lanes_;
  TokenLanes lanes_;
  std::list<ListenPort> ports_;
  /// By row; empty where the target is an address.
  std::vector<std::shared_ptr<const dns::Addresses>> addresses_;
  Sessions sessions_;
  unsigned kept_ = 0;
  bool closed_ = false;
  bool cancelled_ = false;
  bool dropped_ = false;
};

}  // namespace portunus::dataplane::tcp
