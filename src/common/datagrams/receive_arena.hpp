#pragma once

#include <cstddef>

namespace portunus::datagrams {

/// Memory that one worker receives into, whichever of its sockets has something: 32 slots that no
/// datagram exceeds (UDP-9). About 2 MiB from the first traffic on, nothing before. Released with
/// the worker.
class ReceiveArena {
 public:
  static constexpr unsigned kSlots = 32;
  static constexpr std::size_t kSlotBytes = 65'535;

  ReceiveArena() = default;
  ~ReceiveArena();
  ReceiveArena(const ReceiveArena&) = delete;
  ReceiveArena& operator=(const ReceiveArena&) = delete;

  /// False when the system has no memory for it.
  bool ready();
  bool allocated() const { return memory_ != nullptr; }
  std::byte* slot(unsigned index) const { return memory_ + index * kStride; }

 private:
  /// A few lines more than the slot, so that the beginnings of the slots, all that short datagrams
  /// touch, do not fall on the same lines of the processor's cache.
  static constexpr std::size_t kStride = 65'536 + 5 * 64;

  std::byte* memory_ = nullptr;
};

}  // namespace portunus::datagrams
