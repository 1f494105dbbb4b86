#include "dataplane/udp/flow.hpp"

#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <utility>

#include "dataplane/limits/limiter.hpp"
#include "dataplane/udp/listener.hpp"
#include "dataplane/udp/rule_slice.hpp"
#include "dataplane/udp/send_result.hpp"
#include "dataplane/udp/upstream_socket.hpp"
#include "dataplane/udp/worker.hpp"

namespace portunus::dataplane::udp {
namespace {

constexpr std::uint32_t kReadable = EPOLLIN | EPOLLET;
constexpr std::uint32_t kReadableOrWritable = EPOLLIN | EPOLLOUT | EPOLLET;

bool is_full(int error) {
  return error == EAGAIN || error == EWOULDBLOCK;
}

// Ten thousand flows are to cost little more than their sockets.
static_assert(sizeof(Flow) <= 256);

}  // namespace

void Flow::begin(Listener& listener, FlowKey key, in_addr local, std::unique_ptr<Opening> opening) {
  worker_ = &listener.slice().worker();
  state_ = State::building;
  admitted_ = false;
  limit_up_ = limit_down_ = worker_->offload.gso ? kAnySegment : SegmentLimit{0};
  local_ = local;
  key_ = key;
  listener_ = &listener;
  last_seen_ = worker_->now();
  meter_ = listener.meter();
  bytes_in_ = bytes_out_ = datagrams_in_ = datagrams_out_ = 0;
  opening_ = std::move(opening);
  listener.slice().adopt(*this);
}

net::Endpoint Flow::target() const {
  return peer_of(fd_.get());
}

bool Flow::connect(net::UniqueFd fd, std::size_t row) {
  fd_ = std::move(fd);
  meter_.set_target(row);
  return worker_->poller.watch(fd_.get(), *this, kReadable);
}

bool Flow::watch_writable(bool on) {
  return worker_->poller.rewatch(fd_.get(), *this, on ? kReadableOrWritable : kReadable);
}

void Flow::go_live() {
  opening_.reset();
  state_ = State::live;
  listener_->slice().on_flow_built();
  listener_->slice().shard().active_flows.add(1);
}

void Flow::on_ready(std::uint32_t) {
  switch (state_) {
    case State::unused:
    case State::ended:
      return;
    case State::building:
      if (opening_->stage == Opening::Stage::sending) {
        worker_->opener.send_first(*opening_);
      }
      return;
    case State::live:
      return reply();
  }
}

void Flow::run_deferred() {
  if (state_ == State::ended) {
    state_ = State::unused;
    worker_->flows.put(*this);
    return;
  }
  reply();
}

void Flow::forward(std::span<const Datagrams> pieces) {
  const Carried carried = send_up(pieces);
  if (carried.unsent > 0) settle_failures(carried, false);
}

Carried Flow::send_up(std::span<const Datagrams> pieces) {
  rules::LiveRule& live = listener_->slice().rule().live();
  worker_->pump.toll().start(live, limits::Direction::in, worker_->now());
  return carry_up(pieces);
}

Carried Flow::send_up_again(std::span<const Datagrams> pieces) {
  worker_->pump.toll().start_paid(listener_->slice().rule().live());
  return carry_up(pieces);
}

Carried Flow::carry_up(std::span<const Datagrams> pieces) {
  worker_->pump.batch().start(fd_.get(), limit_up_);
  const Carried carried = worker_->pump.carry(pieces);
  if (carried.datagrams > 0) {
    meter_.add_datagrams_in(carried.datagrams, carried.bytes);
    datagrams_in_ += carried.datagrams;
    bytes_in_ += carried.bytes;
    last_seen_ = worker_->now();
  }
  if (carried.shaped_out > 0) {
    listener_->slice().shard().bandwidth_dropped_in.add(carried.shaped_out);
  }
  return carried;
}

void Flow::settle_failures(const Carried& carried, bool first_packet) {
  RuleSlice& slice = listener_->slice();
  const std::uint32_t evicting = carried.evicts ? 1 : 0;
  const std::uint32_t dropped = carried.unsent - carried.too_long - evicting;
  if (carried.too_long > 0) {
    slice.shard().emsgsize.add(carried.too_long);
    slice.rule().events().emsgsize(key_, carried.too_long);
  }
  if (dropped > 0) {
    slice.shard().send_dropped.add(dropped);
    slice.rule().events().upstream_wouldblock(key_, dropped);
  }
  if (carried.evicts) evict(carried.error, first_packet);
}

void Flow::reply() {
  const int count = worker_->from_upstream.receive(fd_.get());
  if (count < 0) return on_receive_error(-count);
  std::array<Datagrams, ReceiveArena::kSlots> pieces;
  for (int i = 0; i < count; ++i) {
    pieces[static_cast<unsigned>(i)] = worker_->from_upstream[static_cast<unsigned>(i)];
  }
  send_down({pieces.data(), static_cast<std::size_t>(count)});
  // One share a turn; whether there is more shows in the next.
  if (count == ReceiveArena::kSlots && !Deferred::is_linked()) {
    worker_->poller.run_next_round(*this);
  }
}

void Flow::send_down(std::span<const Datagrams> pieces) {
  RuleSlice& slice = listener_->slice();
  worker_->pump.toll().start(slice.rule().live(), limits::Direction::out, worker_->now());
  worker_->pump.batch().start(listener_->fd(), limit_down_, key_.source(), local_);
  const Carried carried = worker_->pump.carry(pieces);
  if (carried.datagrams > 0) {
    meter_.add_datagrams_out(carried.datagrams, carried.bytes);
    datagrams_out_ += carried.datagrams;
    bytes_out_ += carried.bytes;
    last_seen_ = worker_->now();
  }
  if (carried.shaped_out > 0) slice.shard().bandwidth_dropped_out.add(carried.shaped_out);
  if (carried.unsent == 0) return;
  slice.shard().wouldblock.add(carried.unsent);
  if (carried.error == 0 || is_full(carried.error)) {
    slice.rule().events().reply_wouldblock(key_, carried.unsent);
  } else {
    slice.rule().events().reply_send_failed(key_.listen_port(), carried.error);
  }
}

void Flow::on_receive_error(int error) {
  if (is_full(error)) return;
  RuleSlice& slice = listener_->slice();
  switch (classify(error)) {
    case SendResult::evicts:
      return evict(error, false);
    case SendResult::too_long:
      slice.shard().emsgsize.add(1);
      slice.rule().events().emsgsize(key_, 1);
      break;
    case SendResult::dropped:
      slice.shard().send_dropped.add(1);
      break;
  }
  // The error came before what may still be there, which is not reported again.
  if (!Deferred::is_linked()) worker_->poller.run_next_round(*this);
}

void Flow::evict(int error, bool first_packet) {
  RuleSlice& slice = listener_->slice();
  slice.shard().icmp_evict.add(1);
  slice.rule().events().evicted(key_, target(), error, first_packet);
  end();
}

void Flow::end_idle() {
  if (live()) {
    listener_->slice().rule().events().closed_idle(
        key_, {bytes_in_, bytes_out_, datagrams_in_, datagrams_out_});
  }
  end();
}

void Flow::end() {
  RuleSlice& slice = listener_->slice();
  UdpRule& rule = slice.rule();
  if (live()) slice.shard().active_flows.subtract(1);
  if (opening_) {
    opening_.reset();
    slice.on_flow_built();
  }
  fd_.reset();
  if (admitted_) limits::leave(rule.live().owner_limiter(), rule.live().limiter());
  rule.release_flow();
  worker_->table.erase(key_);
  FlowHook::unlink();
  slice.on_flow_gone();
  state_ = State::ended;
  worker_->poller.run_after_batch(*this);
}

}  // namespace portunus::dataplane::udp
