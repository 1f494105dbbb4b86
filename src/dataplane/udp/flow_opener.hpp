#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/intrusive/list.hpp>
#include <cstdint>
#include <functional>
#include <string>

#include "common/datagrams/datagrams.hpp"
#include "common/net/unique_fd.hpp"
#include "dataplane/dns/resolver.hpp"
#include "dataplane/failover/dial_plan.hpp"
#include "dataplane/reactor/poller.hpp"
#include "dataplane/udp/flow_key.hpp"
#include "dataplane/udp/fwd.hpp"
#include "dataplane/udp/opening.hpp"

namespace portunus::dataplane::udp {

/// dns::Resolver::resolve, or what stands for it.
using Resolve = std::function<void(std::string name, boost::asio::any_io_executor reply_to,
                                   dns::Resolver::Handler handler)>;

/// Builds new flows, beside the receiving: open() takes a place and the first datagram, everything
/// that costs system calls or waiting follows after the batch at hand, a bounded number per turn
/// (UDP-7). One worker's thread.
class FlowOpener final : private reactor::Deferred {
 public:
  /// Flows of one rule that a worker builds at the same time: the new-flow queue of data-plane
  /// section 1. Bounds the memory that first datagrams take.
  static constexpr unsigned kMostBuilding = 1024;
  /// Flows built per turn: as many as a receive batch can bring.
  static constexpr unsigned kPerTurn = 32;

  FlowOpener(Worker& worker, Resolve resolve);

  /// A source that has no flow: steps 2 and 3 of data-plane section 7. Takes the first datagram and
  /// returns the flow under construction, or counts all of them as dropped and returns null.
  /// Nothing is allocated before the place is reserved.
  Flow* open(Listener& listener, FlowKey key, in_addr local, datagrams::Datagrams& piece,
             std::uint64_t batch);
  /// After a batch: builds what is queued, up to the turn's share.
  void run();
  /// Step 8, also when the socket has become writable.
  void send_first(Opening& opening);

 private:
  using Step = failover::DialPlan::Step;
  using Queue = boost::intrusive::list<Opening, boost::intrusive::constant_time_size<false>>;

  void run_deferred() override { run(); }
  void advance(Opening& opening);
  bool admit(Opening& opening);
  void dial(Opening& opening, Step step);
  Step apply_reply(Opening& opening);
  Step note(Opening& opening, failover::DialPlan::Outcome outcome);
  void ask(Opening& opening);
  void on_reply(FlowKey key, std::uint64_t serial, dns::Resolver::Reply reply);
  void establish(Opening& opening, net::UniqueFd fd);
  void give_up(Opening& opening);
  void drop_addflow(Flow& flow, const char* reason);

  Worker& worker_;
  const Resolve resolve_;
  Queue queue_;
  std::uint64_t last_serial_ = 0;
  std::uint64_t round_ = 0;
  unsigned share_ = kPerTurn;
};

}  // namespace portunus::dataplane::udp
