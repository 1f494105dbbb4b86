#pragma once

#include <array>
#include <cstdint>

#include "common/datagrams/datagrams.hpp"
#include "dataplane/udp/flow_key.hpp"
#include "dataplane/udp/fwd.hpp"
#include "dataplane/udp/receive_batch.hpp"

namespace portunus::dataplane::udp {

/// Takes a batch of received datagrams apart by flow. What belongs to live flows leaves first, each
/// flow's datagrams together and in order (UDP-8). New flows are built after that (UDP-7), and what
/// followed the first datagram of such a flow in the same batch leaves last, if the flow could be
/// built at once: a source that begins with two datagrams, as resolvers do, loses neither. A worker
/// has one; it keeps nothing between two calls of dispatch().
class Inbound {
 public:
  explicit Inbound(Worker& worker) : worker_(worker) {}
  Inbound(const Inbound&) = delete;
  Inbound& operator=(const Inbound&) = delete;

  /// The first `count` slots of the worker's batch, received from that listener.
  void dispatch(Listener& listener, unsigned count);

 private:
  static constexpr unsigned kSlots = ReceiveArena::kSlots;
  static constexpr std::uint8_t kEnd = kSlots;

  /// A live flow's slots, a chain through next_.
  struct Group {
    Flow* flow = nullptr;
    std::uint8_t first = kEnd;
    std::uint8_t last = kEnd;
  };

  Flow* find_or_open(Listener& listener, unsigned slot);
  /// `later`: datagrams of a flow that this batch began are set aside instead of dropped.
  void route(Listener& listener, unsigned slot, bool later);
  void add_to_group(Flow& flow, unsigned slot);
  void deliver();
  void drop_pending(Flow& flow, unsigned slot);

  Worker& worker_;
  std::uint64_t batch_ = 0;
  std::array<Datagrams, kSlots> pieces_;
  std::array<FlowKey, kSlots> keys_;
  std::array<std::uint8_t, kSlots> next_;
  std::array<Group, kSlots> groups_;
  unsigned groups_used_ = 0;
  std::array<std::uint8_t, kSlots> later_;
  unsigned later_used_ = 0;
};

}  // namespace portunus::dataplane::udp
