#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "common/base/clock.hpp"
#include "common/datagrams/offload.hpp"
#include "dataplane/owners/owner_scope.hpp"
#include "dataplane/reactor/poller.hpp"
#include "dataplane/rules/core_reports.hpp"
#include "dataplane/udp/bind_ports.hpp"
#include "dataplane/udp/flow_opener.hpp"
#include "dataplane/udp/flow_pool.hpp"
#include "dataplane/udp/flow_table.hpp"
#include "dataplane/udp/inbound.hpp"
#include "dataplane/udp/pump.hpp"
#include "dataplane/udp/receive_batch.hpp"
#include "dataplane/udp/rule_slice.hpp"
#include "dataplane/udp/send_batch.hpp"
#include "dataplane/udp/udp_rule.hpp"

namespace portunus::dataplane::udp {

/// UDP's share of one core: its memory to receive into, its flows and its slices of the rules.
/// Built before the core's thread runs; from then on only touched on that thread. Destroyed after
/// the thread was joined.
struct Worker {
  struct Options {
    datagrams::Offload offload;
    Resolve resolve;
    SendMany send = send_many;
  };
  Worker(boost::asio::io_context& context, reactor::Poller& poller, unsigned index,
         Options options);

  /// Ends everything that is left and lets the context run out of work.
  void stop();

  /// Takes a rule's sockets of this worker into service. The port that the system refused, if any;
  /// then all of them are closed. Reports from remove() that it is gone; a part of it does not die,
  /// because nothing in it is more than a descriptor and a timer.
  std::optional<std::uint16_t> add(std::shared_ptr<UdpRule> rule, std::vector<BoundPort> ports,
                                   rules::CoreReports reports);
  /// Closes the rule's ports and ends its flows; nothing of it is left on return (UDP-16). Ignores
  /// a rule that is not here.
  void remove(const rules::LiveRule& rule);
  /// Ends the flows of an owner whose quota is used up (QUO-6).
  void cut(const owners::OwnerScope& owner);

  /// The time, read once per round of the poller.
  SteadyTime now();

  boost::asio::io_context& context;
  reactor::Poller& poller;
  const unsigned index;
  const datagrams::Offload offload;
  ReceiveArena arena;
  ReceiveBatch from_sources;
  ReceiveBatch from_upstream;
  Pump pump;
  FlowTable table;
  FlowPool flows;
  FlowOpener opener;
  Inbound inbound;

 private:
  /// Closes it now and destroys it when whatever still points to it has run.
  void retire(std::unique_ptr<RuleSlice> slice);

  std::unordered_map<const rules::LiveRule*, std::unique_ptr<RuleSlice>> slices_;
  SteadyTime now_{};
  std::uint64_t now_round_ = ~std::uint64_t{0};
};

}  // namespace portunus::dataplane::udp
