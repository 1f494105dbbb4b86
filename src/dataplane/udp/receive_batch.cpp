#include "dataplane/udp/receive_batch.hpp"

#include <netinet/udp.h>

#include <cerrno>
#include <cstring>

namespace portunus::dataplane::udp {

ReceiveBatch::ReceiveBatch(ReceiveArena& arena, bool listening)
    : arena_(arena), listening_(listening) {}

bool ReceiveBatch::prepare() {
  if (prepared_) return true;
  if (!arena_.ready()) return false;
  for (unsigned i = 0; i < ReceiveArena::kSlots; ++i) {
    vectors_[i] = {arena_.slot(i), ReceiveArena::kSlotBytes};
    msghdr& header = headers_[i].msg_hdr;
    header.msg_iov = &vectors_[i];
    header.msg_iovlen = 1;
    header.msg_control = &controls_[i];
    if (listening_) header.msg_name = &sources_[i];
  }
  used_ = ReceiveArena::kSlots;
  prepared_ = true;
  return true;
}

void ReceiveBatch::rearm() {
  for (unsigned i = 0; i < used_; ++i) {
    msghdr& header = headers_[i].msg_hdr;
    header.msg_namelen = listening_ ? sizeof(sockaddr_in) : 0;
    header.msg_controllen = sizeof(Control);
  }
  used_ = 0;
}

int ReceiveBatch::receive(int fd) {
  if (!prepare()) return -ENOMEM;
  rearm();
  int count = 0;
  do {
    count = ::recvmmsg(fd, headers_.data(), ReceiveArena::kSlots, MSG_DONTWAIT, nullptr);
  } while (count < 0 && errno == EINTR);
  if (count < 0) {
    // The first header may have been written to all the same.
    const int error = errno;
    used_ = 1;
    return -error;
  }
  used_ = static_cast<unsigned>(count);
  for (unsigned i = 0; i < used_; ++i) read_slot(i);
  // The one after the last was tried and found nothing.
  if (used_ < ReceiveArena::kSlots) ++used_;
  return count;
}

void ReceiveBatch::read_slot(unsigned slot) {
  msghdr& header = headers_[slot].msg_hdr;
  const std::byte* data = arena_.slot(slot);
  const std::uint32_t size = headers_[slot].msg_len;
  datagrams_[slot] = Datagrams::one(data, size);
  locals_[slot] = {};
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
      int segment = 0;
      std::memcpy(&segment, CMSG_DATA(c), sizeof segment);
      if (segment > 0) {
        datagrams_[slot] = Datagrams::joined(data, size, static_cast<std::uint32_t>(segment));
      }
    } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
      in_pktinfo info;
      std::memcpy(&info, CMSG_DATA(c), sizeof info);
      locals_[slot] = info.ipi_spec_dst;
    }
  }
}

}  // namespace portunus::dataplane::udp
