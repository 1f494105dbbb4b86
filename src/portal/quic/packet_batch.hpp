#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "common/datagrams/sending.hpp"
#include "portal/quic/udp_socket.hpp"

namespace portunus::portal::quic {

/// Where a packet goes, and from which socket and address it leaves.
struct PacketWay {
  int fd = -1;
  /// The socket is connected: no address is given.
  bool connected = false;
  SocketAddress local;
  SocketAddress remote;
  /// The flow's, for what it sends joined; null = nothing. Written as the kernel refuses.
  datagrams::SegmentLimit* limit = nullptr;
};

/// Packets of one core's connections on their way into as few sendmmsg as possible: consecutive
/// packets of one size and one way leave as one message, which the kernel splits (GSO). Where it
/// refuses to, that flow's packets go singly from there on, and nobody else's. Packets are written
/// where they are sent from. What a socket does not take stays until send() is called again.
class PacketBatch {
 public:
  explicit PacketBatch(datagrams::SendMany call = datagrams::send_many) : call_(call) {}
  PacketBatch(const PacketBatch&) = delete;
  PacketBatch& operator=(const PacketBatch&) = delete;

  /// Room for one packet of `size` bytes; empty when send() must come first, or has come and was
  /// refused, or without memory.
  std::span<std::uint8_t> reserve(std::size_t size);
  /// `size` bytes were written to what reserve() gave.
  void commit(const PacketWay& way, std::size_t size);

  bool empty() const { return next_ == count_; }
  /// False when a socket takes no more for now: that one is full(), and should be waited for.
  bool send();
  int full() const { return full_; }
  /// The descriptor is about to be closed: what still waits for it is lost.
  void forget(int fd);
  /// The flow is about to go: what still waits of it leaves without its limit.
  void forget(const datagrams::SegmentLimit& limit);
  /// The full socket has room again.
  void retry() { full_ = -1; }

 private:
  static constexpr std::size_t kArena = 512 * 1024;
  static constexpr unsigned kMessages = 64;
  /// Of one message: UDP_MAX_SEGMENTS of the kernel's first versions, and an IPv4 packet.
  static constexpr unsigned kMostSegments = 64;
  static constexpr std::size_t kMostBytes = 65'507;

  struct Message {
    PacketWay way;
    std::size_t begin = 0;
    std::size_t bytes = 0;
    std::size_t segment = 0;
    unsigned packets = 0;
    bool open = false;
  };
  struct alignas(cmsghdr) Control {
    std::byte bytes[CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(std::uint16_t))];
  };

  void finish(unsigned message);
  bool same_way(const PacketWay& a, const PacketWay& b) const;
  /// A message refused for being joined, packet by packet. False when the socket is full.
  bool send_singly(unsigned message);
  unsigned run_of_one_socket() const;

  const datagrams::SendMany call_;
  std::unique_ptr<std::uint8_t[]> arena_;
  std::size_t used_ = 0;
  unsigned next_ = 0;
  unsigned count_ = 0;
  int full_ = -1;
  std::array<Message, kMessages> messages_;
  std::array<mmsghdr, kMessages> headers_{};
  std::array<iovec, kMessages> vectors_;
  std::array<Control, kMessages> controls_;
};

}  // namespace portunus::portal::quic
