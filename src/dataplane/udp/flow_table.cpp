#include "dataplane/udp/flow_table.hpp"

#include <new>
#include <utility>

#include "common/base/assert.hpp"

namespace portunus::dataplane::udp {

std::size_t FlowTable::home(FlowKey key) const {
  // Both halves of a 128-bit product depend on every bit of the key and of the secret.
  const auto product =
      static_cast<unsigned __int128>(key.word() ^ secret_) * (secret_ | 0x9E37'79B9'7F4A'7C15ULL);
  return static_cast<std::size_t>(static_cast<std::uint64_t>(product) ^
                                  static_cast<std::uint64_t>(product >> 64)) &
         mask_;
}

std::size_t FlowTable::locate(FlowKey key) const {
  std::size_t at = home(key);
  while (entries_[at].flow != nullptr && entries_[at].key != key) at = (at + 1) & mask_;
  return at;
}

Flow* FlowTable::find(FlowKey key) const {
  return entries_ ? entries_[locate(key)].flow : nullptr;
}

bool FlowTable::insert(FlowKey key, Flow& flow) {
  if (2 * (size_ + 1) > capacity() && !grow()) return false;
  Entry& entry = entries_[locate(key)];
  PORTUNUS_DCHECK(entry.flow == nullptr);
  entry = {key, &flow};
  ++size_;
  return true;
}

void FlowTable::erase(FlowKey key) {
  if (!entries_) return;
  std::size_t hole = locate(key);
  if (entries_[hole].flow == nullptr) return;
  --size_;
  // Whatever the hole separates from its home moves into it, so that probing needs no tombstones.
  for (std::size_t at = (hole + 1) & mask_; entries_[at].flow != nullptr; at = (at + 1) & mask_) {
    const std::size_t distance = (at - home(entries_[at].key)) & mask_;
    if (distance < ((at - hole) & mask_)) continue;
    entries_[hole] = entries_[at];
    hole = at;
  }
  entries_[hole] = {};
}

bool FlowTable::grow() {
  const std::size_t before = capacity();
  const std::size_t wanted = before == 0 ? kSmallest : 2 * before;
  std::unique_ptr<Entry[]> larger(new (std::nothrow) Entry[wanted]);
  if (!larger) return false;
  const std::unique_ptr<Entry[]> old = std::exchange(entries_, std::move(larger));
  mask_ = wanted - 1;
  for (std::size_t i = 0; i < before; ++i) {
    if (old[i].flow != nullptr) entries_[locate(old[i].key)] = old[i];
  }
  return true;
}

}  // namespace portunus::dataplane::udp
