#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "common/datagrams/datagrams.hpp"
#include "common/datagrams/receive_arena.hpp"
#include "portal/quic/udp_socket.hpp"

namespace portunus::portal::quic {

/// One UDP payload and the two ends it travelled between.
struct Packet {
  std::span<const std::uint8_t> bytes;
  SocketAddress remote;
  SocketAddress local;
};

/// One recvmmsg of either family and what it brought, until the next one. One per core.
class PacketReceiver {
 public:
  static constexpr unsigned kSlots = datagrams::ReceiveArena::kSlots;

  /// The number of slots filled; fewer than kSlots means that the socket is empty by now. A
  /// negative errno when there is nothing.
  int receive(int fd);

  /// One packet, or joined ones of one source (UDP GRO).
  const datagrams::Datagrams& operator[](unsigned slot) const { return runs_[slot]; }
  const SocketAddress& remote(unsigned slot) const { return remotes_[slot]; }
  /// The address of this host that the packets were sent to, with `bound`'s port; `bound` itself
  /// where the kernel does not say.
  SocketAddress local(unsigned slot, const SocketAddress& bound) const;

 private:
  struct alignas(cmsghdr) Control {
    std::byte bytes[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(in6_pktinfo))];
  };

  bool prepare();
  void read_slot(unsigned slot);

  datagrams::ReceiveArena arena_;
  bool prepared_ = false;
  unsigned used_ = 0;
  std::array<mmsghdr, kSlots> headers_{};
  std::array<iovec, kSlots> vectors_{};
  std::array<SocketAddress, kSlots> remotes_;
  std::array<SocketAddress, kSlots> locals_;
  std::array<Control, kSlots> controls_{};
  std::array<datagrams::Datagrams, kSlots> runs_{};
};

}  // namespace portunus::portal::quic
