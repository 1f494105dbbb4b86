#pragma once

#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "dataplane/dns/resolver.hpp"
#include "dataplane/owners/owner_scope.hpp"
#include "dataplane/reactor/alarms.hpp"
#include "dataplane/reactor/deadlines.hpp"
#include "dataplane/reactor/poller.hpp"
#include "dataplane/rules/core_reports.hpp"
#include "dataplane/tcp/block_pool.hpp"
#include "dataplane/tcp/buffer_pool.hpp"
#include "dataplane/tcp/hello_peek.hpp"
#include "dataplane/tcp/listen_sockets.hpp"
#include "dataplane/tcp/one_way.hpp"
#include "dataplane/tcp/pipe_pool.hpp"
#include "dataplane/tcp/rule_slice.hpp"
#include "dataplane/tcp/sni_ports.hpp"
#include "dataplane/tcp/tcp_rule.hpp"
#include "dataplane/tcp/tcp_session.hpp"
#include "dataplane/tcp/token_lane.hpp"

namespace portunus::dataplane::tcp {

/// TCP's share of one core: its pools and its slices of the rules. Built before the core's thread
/// runs; from then on only touched on that thread. Destroyed after the thread was joined.
struct Worker {
  Worker(boost::asio::io_context& context, reactor::Poller& poller, unsigned index,
         PipeBudget& budget, dns::Resolver& resolver);

  /// Aborts everything that is left and lets the context run out of work.
  void stop();

  /// Takes a rule's sockets of this worker into service, one pair per port; none for a member of a
  /// port in SNI mode. The port that the system refused, if any; then none listens any more.
  std::optional<std::uint16_t> add(std::shared_ptr<TcpRule> rule, std::vector<ListenPair> sockets,
                                   rules::CoreReports reports);
  /// Both ignore a rule that is not here.
  void close_listeners(const rules::LiveRule& rule);
  void cancel_sessions(const rules::LiveRule& rule);
  /// Ends the connections of all rules of that owner, whose quota is exhausted (QUO-5).
  void cut_off(const owners::OwnerScope& owner);
  /// Where the connections of the rule's owner wait for his bandwidth; null without an owner.
  std::shared_ptr<TokenLanes> owner_lanes(rules::LiveRule& rule);
  /// Null when the rule is not here.
  std::shared_ptr<RuleSlice> find(const rules::LiveRule& rule) const;
  /// Called by a slice that has nothing left.
  void drop(RuleSlice& slice);

  boost::asio::io_context& context;
  reactor::Poller& poller;
  const unsigned index;
  dns::Resolver& resolver;
  PipePool pipes;
  BufferPool buffers;
  const std::unique_ptr<std::byte[]> scratch;
  RelayTools tools;
  BlockPool<TcpSession> sessions;
  BlockPool<HelloPeek> peeks;
  /// For one connect to one address, and for one PROXY header.
  reactor::Deadlines dial_deadlines;
  reactor::Deadlines header_deadlines;
  reactor::Deadlines peek_deadlines;
  /// For what a connection still does after its quota is exhausted.
  reactor::Deadlines cut_deadlines;
  /// For parked connections.
  reactor::Alarms alarms;
  SniPorts sni;

 private:
  std::unordered_map<const owners::OwnerScope*, std::weak_ptr<TokenLanes>> owner_lanes_;
  std::unordered_map<const rules::LiveRule*, std::shared_ptr<RuleSlice>> slices_;
};

}  // namespace portunus::dataplane::tcp
