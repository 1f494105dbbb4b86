#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "common/datagrams/datagrams.hpp"
#include "common/datagrams/sending.hpp"

namespace portunus::dataplane::udp {

using datagrams::Datagrams;
using datagrams::kAnySegment;
using datagrams::SegmentLimit;
using datagrams::send_many;
using datagrams::SendMany;

/// What became of the datagrams of one send, in their order: the first `datagrams` were accepted.
struct Sent {
  std::uint32_t datagrams = 0;
  std::uint64_t bytes = 0;
  /// Not accepted. Of the first of them `error` is known, unless it was 0: then that one passed
  /// when it was tried again by itself, and is counted above.
  std::uint32_t unsent = 0;
  int error = 0;
};

/// Datagrams of one flow in one direction on their way into one sendmmsg: where the kernel can
/// split them itself, runs of one size leave as one message, which costs a single pass through its
/// stack. A worker has one of these; it holds pointers into the receive arena only between start()
/// and send().
class SendBatch {
 public:
  /// So many single datagrams fit between two calls of send(), whatever their sizes.
  static constexpr unsigned kSingles = 64;

  explicit SendBatch(SendMany call) : call_(call) {}
  SendBatch(const SendBatch&) = delete;
  SendBatch& operator=(const SendBatch&) = delete;

  /// To whom `fd` is connected. `limit` is the flow's, for this way; it must outlive send().
  void start(int fd, SegmentLimit& limit);
  /// From a listening socket: `to` somebody, from that address of this host (INADDR_ANY = the
  /// kernel's choice).
  void start(int fd, SegmentLimit& limit, const sockaddr_in& to, in_addr from);

  /// Takes as much of `what` as there is room for and removes it from there. When something is
  /// left: send(), then add() that.
  void add(Datagrams& what);
  bool empty() const { return messages_ == 0; }

  /// One sendmmsg. Where the kernel accepts only a part, the first of the others is tried alone to
  /// learn why, and the rest is given up (UDP-12). What a refusal to split stops is sent singly, as
  /// if it had never been joined. Ready for more add() afterwards.
  Sent send();

 private:
  static constexpr unsigned kMessages = kSingles;
  static constexpr unsigned kPieces = kSingles;
  /// Of one message that the kernel splits: UDP_MAX_SEGMENTS of its first versions, and an IPv4
  /// packet.
  static constexpr std::uint32_t kMostSegments = 64;
  static constexpr std::uint32_t kMostBytes = 65'507;

  struct Message {
    std::uint32_t bytes = 0;
    std::uint32_t segment = 0;
    std::uint32_t datagrams = 0;
    /// The last one is as long as the others, so more may follow.
    bool open = false;
  };
  struct alignas(cmsghdr) Control {
    std::byte bytes[CMSG_SPACE(sizeof(in_pktinfo)) + CMSG_SPACE(sizeof(std::uint16_t))];
  };

  void restart(int fd, SegmentLimit& limit);
  std::uint32_t room_for(const Datagrams& what) const;
  void join(Datagrams& what, std::uint32_t n);
  bool begin_message(Datagrams& what);
  bool add_piece(const Datagrams& part);
  void finish_headers();
  void write_control(unsigned message);
  void book(unsigned message, Sent& sent) const;
  /// The datagrams of a joined message one by one. False when that failed too.
  bool send_singly(unsigned message, Sent& sent);
  void clear();

  const SendMany call_;
  int fd_ = -1;
  SegmentLimit* limit_ = nullptr;
  bool addressed_ = false;
  sockaddr_in to_{};
  in_addr from_{};

  unsigned messages_ = 0;
  unsigned pieces_ = 0;
  std::array<Message, kMessages> info_;
  std::array<mmsghdr, kMessages> headers_{};
  std::array<iovec, kPieces> vectors_;
  std::array<Control, kMessages> controls_;
};

}  // namespace portunus::dataplane::udp
