#pragma once

#include <boost/asio/io_context.hpp>

#include "common/base/result.hpp"
#include "common/datagrams/offload.hpp"
#include "dataplane/dns/resolver.hpp"
#include "dataplane/owners/owner_scope.hpp"
#include "dataplane/reactor/poller.hpp"
#include "dataplane/rules/live_rule.hpp"
#include "dataplane/tcp/pipe_pool.hpp"
#include "dataplane/tcp/worker.hpp"
#include "dataplane/udp/worker.hpp"

namespace portunus::dataplane {

/// One thread of the engine and all that lives on it: its poller and each protocol's share of the
/// rules. Built before the thread runs; from then on only touched by posts to `context`, until the
/// thread was joined.
struct Core {
  Core(boost::asio::io_context& io, unsigned number, tcp::PipeBudget& pipes,
       dns::Resolver& resolver, datagrams::Offload offload);
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  /// Before the thread runs.
  Result<> start();
  /// Aborts everything that is left and lets the context run out of work.
  void stop();

  /// Both find the rule wherever it is; one that is not here is ignored.
  void close_listeners(const rules::LiveRule& rule);
  void cancel(const rules::LiveRule& rule);
  /// The owner's quota is used up (QUO-5, QUO-6).
  void cut(const owners::OwnerScope& owner);

  boost::asio::io_context& context;
  const unsigned index;
  reactor::Poller poller;
  tcp::Worker tcp;
  udp::Worker udp;
};

}  // namespace portunus::dataplane
