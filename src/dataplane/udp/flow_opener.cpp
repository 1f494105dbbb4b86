#include "dataplane/udp/flow_opener.hpp"

#include <cerrno>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include "dataplane/limits/limiter.hpp"
#include "dataplane/udp/flow.hpp"
#include "dataplane/udp/listener.hpp"
#include "dataplane/udp/rule_slice.hpp"
#include "dataplane/udp/udp_rule.hpp"
#include "dataplane/udp/upstream_socket.hpp"
#include "dataplane/udp/worker.hpp"

namespace portunus::dataplane::udp {
namespace {

RuleSlice& slice_of(Opening& opening) {
  return opening.flow.listener().slice();
}

/// A copy of the datagram at hand, whose memory is about to be received into again.
std::unique_ptr<Opening> keep(Flow& flow, const Datagrams& first) {
  std::unique_ptr<Opening> opening(new (std::nothrow) Opening(flow));
  if (!opening) return nullptr;
  opening->datagram.reset(new (std::nothrow) std::byte[first.size]);
  if (!opening->datagram) return nullptr;
  if (first.size > 0) std::memcpy(opening->datagram.get(), first.data, first.size);
  opening->size = first.size;
  return opening;
}

}  // namespace

FlowOpener::FlowOpener(Worker& worker, Resolve resolve)
    : worker_(worker), resolve_(std::move(resolve)) {}

Flow* FlowOpener::open(Listener& listener, FlowKey key, in_addr local, Datagrams& piece,
                       std::uint64_t batch) {
  RuleSlice& slice = listener.slice();
  UdpRule& rule = slice.rule();
  const std::uint32_t count = piece.count;
  if (rule.live().quota() != nullptr && rule.live().quota()->exhausted()) {
    piece = {};
    return nullptr;
  }
  if (!rule.reserve_flow()) {
    piece = {};
    slice.shard().flows_dropped_overflow.add(count);
    rule.events().dropped_overflow(key);
    return nullptr;
  }
  const char* failure = "queue_full";
  if (slice.building() < kMostBuilding) {
    failure = "out_of_memory";
    Flow* const flow = worker_.flows.take();
    auto opening = flow != nullptr ? keep(*flow, piece.take(1)) : nullptr;
    if (opening && worker_.table.insert(key, *flow)) {
      opening->serial = ++last_serial_;
      opening->batch = batch;
      queue_.push_back(*opening);
      flow->begin(listener, key, local, std::move(opening));
      return flow;
    }
    if (flow != nullptr) worker_.flows.put(*flow);
  }
  piece = {};
  rule.release_flow();
  slice.shard().addflow_dropped.add(count);
  rule.events().addflow_dropped(key, failure);
  return nullptr;
}

void FlowOpener::run() {
  if (round_ != worker_.poller.round()) {
    round_ = worker_.poller.round();
    share_ = kPerTurn;
  }
  for (; share_ > 0 && !queue_.empty(); --share_) {
    Opening& opening = queue_.front();
    queue_.pop_front();
    advance(opening);
  }
  if (!queue_.empty() && !Deferred::is_linked()) worker_.poller.run_next_round(*this);
}

void FlowOpener::advance(Opening& opening) {
  if (opening.stage == Opening::Stage::resolved) return dial(opening, apply_reply(opening));
  if (!admit(opening)) return;
  UdpRule& rule = slice_of(opening).rule();
  const auto offset = opening.flow.listener().offset();
  dial(opening, opening.plan.start(rule.live().targets(), rule.live().dial_order(), offset));
}

bool FlowOpener::admit(Opening& opening) {
  UdpRule& rule = slice_of(opening).rule();
  const auto reject = limits::admit(rule.live().owner_limiter(), rule.live().limiter(),
                                    model::Protocol::udp, worker_.now());
  if (!reject) {
    opening.flow.admitted();
    return true;
  }
  rule.events().first_packet_rejected(opening.flow.key(), *reject);
  opening.flow.end();
  return false;
}

void FlowOpener::dial(Opening& opening, Step step) {
  RuleSlice& slice = slice_of(opening);
  while (step != Step::exhausted) {
    if (step == Step::resolve) {
      auto known = slice.known(opening.plan.row(), worker_.now());
      if (!known) return ask(opening);
      opening.reply = dns::Answer{std::move(known), dns::Answer::Source::cache};
      step = apply_reply(opening);
      continue;
    }
    const net::Endpoint target = opening.plan.endpoint();
    auto fd = connect_upstream(target, worker_.offload.gro);
    if (fd) return establish(opening, std::move(*fd));
    slice.shard().upstream_connect_failed.add(1);
    UdpEvents& events = slice.rule().events();
    const FlowKey key = opening.flow.key();
    if (fd.error().connecting) {
      events.connect_failed(key, target, fd.error().error);
    } else {
      events.bind_failed(key, target, fd.error().error);
    }
    step = note(opening, opening.plan.on_unreachable(fd.error().error));
  }
  give_up(opening);
}

FlowOpener::Step FlowOpener::apply_reply(Opening& opening) {
  if (*opening.reply) slice_of(opening).learn(opening.plan.row(), (*opening.reply)->addresses);
  return note(opening, opening.plan.on_resolved(*opening.reply));
}

/// A row that did not take the flow counts against its health (FO-5, FO-8).
FlowOpener::Step FlowOpener::note(Opening& opening, failover::DialPlan::Outcome outcome) {
  if (outcome.failed) {
    UdpRule& rule = slice_of(opening).rule();
    rule.events().row_failed(opening.flow.key(), *outcome.failed);
    if (!outcome.failed->of_this_host) {
      rule.live().record_failure(outcome.failed->row, worker_.now());
    }
    opening.reply.reset();
  }
  return outcome.next;
}

void FlowOpener::ask(Opening& opening) {
  opening.stage = Opening::Stage::resolving;
  resolve_(opening.plan.name(), worker_.context.get_executor(),
           [this, key = opening.flow.key(), serial = opening.serial](dns::Resolver::Reply reply) {
             on_reply(key, serial, std::move(reply));
           });
}

void FlowOpener::on_reply(FlowKey key, std::uint64_t serial, dns::Resolver::Reply reply) {
  Flow* const flow = worker_.table.find(key);
  if (flow == nullptr || flow->opening() == nullptr || flow->opening()->serial != serial) return;
  Opening& opening = *flow->opening();
  opening.reply = std::move(reply);
  opening.stage = Opening::Stage::resolved;
  // Not here: many may have waited for one answer, and live flows must not wait for them all.
  queue_.push_back(opening);
  if (!Deferred::is_linked()) worker_.poller.run_next_round(*this);
}

void FlowOpener::establish(Opening& opening, net::UniqueFd fd) {
  RuleSlice& slice = slice_of(opening);
  const std::size_t row = opening.plan.row();
  slice.rule().live().record_success(row, worker_.now());
  if (opening.plan.dns_failed()) slice.shard().dns_failures.add(1);
  if (opening.reply && (*opening.reply)->source == dns::Answer::Source::lookup) {
    slice.rule().events().dns_resolved(opening.plan, (*opening.reply)->addresses->size());
  }
  if (!opening.flow.connect(std::move(fd), row)) return drop_addflow(opening.flow, "poller_full");
  send_first(opening);
}

void FlowOpener::send_first(Opening& opening) {
  Flow& flow = opening.flow;
  UdpEvents& events = slice_of(opening).rule().events();
  const Datagrams first = Datagrams::one(opening.datagram.get(), opening.size);
  const bool waited = opening.stage == Opening::Stage::sending;
  const Carried carried = waited ? flow.send_up_again({&first, 1}) : flow.send_up({&first, 1});
  if (carried.error == EAGAIN || carried.error == EWOULDBLOCK) {
    if (waited) return;
    opening.stage = Opening::Stage::sending;
    if (!flow.watch_writable(true)) drop_addflow(flow, "poller_full");
    return;
  }
  if (carried.evicts) return flow.settle_failures(carried, true);
  if (waited && !flow.watch_writable(false)) return drop_addflow(flow, "poller_full");
  if (carried.unsent > 0) {
    flow.settle_failures(carried, true);
    events.first_packet_send_dropped(flow.key(), flow.target(), carried.error);
  }
  flow.go_live();
  events.flow_opened(flow.key(), flow.target());
}

void FlowOpener::give_up(Opening& opening) {
  RuleSlice& slice = slice_of(opening);
  if (opening.plan.dns_failed()) slice.shard().dns_failures.add(1);
  slice.rule().events().all_targets_failed(opening.flow.key());
  opening.flow.end();
}

void FlowOpener::drop_addflow(Flow& flow, const char* reason) {
  RuleSlice& slice = flow.listener().slice();
  slice.shard().addflow_dropped.add(1);
  slice.rule().events().addflow_dropped(flow.key(), reason);
  flow.end();
}

}  // namespace portunus::dataplane::udp
