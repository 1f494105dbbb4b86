#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "dataplane/udp/datagrams.hpp"

namespace portunus::dataplane::udp {

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

/// One recvmmsg into the arena and what it brought, until the next one of any batch that shares the
/// arena. One worker's thread.
class ReceiveBatch {
 public:
  /// `listening`: the datagrams come from many sources, and were sent to any address of this host.
  ReceiveBatch(ReceiveArena& arena, bool listening);
  ReceiveBatch(const ReceiveBatch&) = delete;
  ReceiveBatch& operator=(const ReceiveBatch&) = delete;

  /// Receives what is there, at most 32 slots; a slot holds one datagram, or joined ones where the
  /// socket has UDP_GRO. The number of slots filled; fewer than 32 means that the socket is empty
  /// by now. A negative errno when there is nothing.
  int receive(int fd);

  const Datagrams& operator[](unsigned slot) const { return datagrams_[slot]; }
  /// Of a listening batch only.
  const sockaddr_in& source(unsigned slot) const { return sources_[slot]; }
  /// The address of this host that the datagram was sent to; INADDR_ANY when not known.
  in_addr local(unsigned slot) const { return locals_[slot]; }

 private:
  /// Room for the size of joined datagrams and, at a listening socket, the local address.
  struct alignas(cmsghdr) Control {
    std::byte bytes[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(in_pktinfo))];
  };

  bool prepare();
  void rearm();
  void read_slot(unsigned slot);

  ReceiveArena& arena_;
  const bool listening_;
  bool prepared_ = false;
  /// Headers that the last call has written to.
  unsigned used_ = 0;
  std::array<mmsghdr, ReceiveArena::kSlots> headers_{};
  std::array<iovec, ReceiveArena::kSlots> vectors_{};
  std::array<sockaddr_in, ReceiveArena::kSlots> sources_{};
  std::array<in_addr, ReceiveArena::kSlots> locals_{};
  std::array<Control, ReceiveArena::kSlots> controls_{};
  std::array<Datagrams, ReceiveArena::kSlots> datagrams_{};
};

}  // namespace portunus::dataplane::udp
