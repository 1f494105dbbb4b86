#include "common/datagrams/receive_arena.hpp"

#include <sys/mman.h>

namespace portunus::datagrams {

ReceiveArena::~ReceiveArena() {
  if (memory_ != nullptr) ::munmap(memory_, kSlots * kStride);
}

bool ReceiveArena::ready() {
  if (memory_ != nullptr) return true;
  // Pages come into being as they are first written to: short datagrams never touch the most.
  void* mapped = ::mmap(nullptr, kSlots * kStride, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) return false;
  memory_ = static_cast<std::byte*>(mapped);
  return true;
}

}  // namespace portunus::datagrams
