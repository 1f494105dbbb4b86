#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "common/datagrams/datagrams.hpp"
#include "common/datagrams/receive_arena.hpp"

namespace portunus::dataplane::udp {

using datagrams::Datagrams;
using datagrams::ReceiveArena;

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
