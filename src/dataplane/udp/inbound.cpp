#include "dataplane/udp/inbound.hpp"

#include "dataplane/udp/flow.hpp"
#include "dataplane/udp/listener.hpp"
#include "dataplane/udp/rule_slice.hpp"
#include "dataplane/udp/udp_rule.hpp"
#include "dataplane/udp/worker.hpp"

namespace portunus::dataplane::udp {

void Inbound::dispatch(Listener& listener, unsigned count) {
  const ReceiveBatch& batch = worker_.from_sources;
  ++batch_;
  later_used_ = 0;
  for (unsigned slot = 0; slot < count; ++slot) {
    pieces_[slot] = batch[slot];
    keys_[slot] = FlowKey(batch.source(slot), listener.port());
    route(listener, slot, true);
  }
  deliver();
  worker_.opener.run();
  if (later_used_ == 0) return;
  for (unsigned i = 0; i < later_used_; ++i) route(listener, later_[i], false);
  deliver();
}

void Inbound::route(Listener& listener, unsigned slot, bool later) {
  Flow* const flow = find_or_open(listener, slot);
  if (flow == nullptr || pieces_[slot].empty()) return;
  if (flow->live()) return add_to_group(*flow, slot);
  if (later && flow->opening()->batch == batch_) {
    later_[later_used_++] = static_cast<std::uint8_t>(slot);
  } else {
    drop_pending(*flow, slot);
  }
}

Flow* Inbound::find_or_open(Listener& listener, unsigned slot) {
  if (Flow* const flow = worker_.table.find(keys_[slot])) return flow;
  const in_addr local = worker_.from_sources.local(slot);
  return worker_.opener.open(listener, keys_[slot], local, pieces_[slot], batch_);
}

void Inbound::add_to_group(Flow& flow, unsigned slot) {
  const auto index = static_cast<std::uint8_t>(slot);
  next_[index] = kEnd;
  if (flow.group < groups_used_ && groups_[flow.group].flow == &flow) {
    Group& group = groups_[flow.group];
    next_[group.last] = index;
    group.last = index;
    return;
  }
  flow.group = static_cast<std::uint8_t>(groups_used_);
  groups_[groups_used_++] = {&flow, index, index};
}

void Inbound::deliver() {
  std::array<Datagrams, kSlots> pieces;
  for (unsigned g = 0; g < groups_used_; ++g) {
    std::size_t count = 0;
    for (std::uint8_t slot = groups_[g].first; slot != kEnd; slot = next_[slot]) {
      pieces[count++] = pieces_[slot];
    }
    groups_[g].flow->forward({pieces.data(), count});
  }
  groups_used_ = 0;
}

void Inbound::drop_pending(Flow& flow, unsigned slot) {
  RuleSlice& slice = flow.listener().slice();
  slice.shard().flows_pending_drops.add(pieces_[slot].count);
  slice.rule().events().pending_drop(flow.key());
}

}  // namespace portunus::dataplane::udp
