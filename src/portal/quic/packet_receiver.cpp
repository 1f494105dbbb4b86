#include "portal/quic/packet_receiver.hpp"

#include <netinet/udp.h>

#include <cerrno>
#include <cstring>

namespace portunus::portal::quic {

bool PacketReceiver::prepare() {
  if (prepared_) return true;
  if (!arena_.ready()) return false;
  for (unsigned i = 0; i < kSlots; ++i) {
    vectors_[i] = {arena_.slot(i), datagrams::ReceiveArena::kSlotBytes};
    msghdr& header = headers_[i].msg_hdr;
    header.msg_iov = &vectors_[i];
    header.msg_iovlen = 1;
    header.msg_control = &controls_[i];
    header.msg_name = &remotes_[i];
  }
  used_ = kSlots;
  prepared_ = true;
  return true;
}

int PacketReceiver::receive(int fd) {
  if (!prepare()) return -ENOMEM;
  for (unsigned i = 0; i < used_; ++i) {
    headers_[i].msg_hdr.msg_namelen = sizeof(SocketAddress);
    headers_[i].msg_hdr.msg_controllen = sizeof(Control);
  }
  used_ = 0;
  int count = 0;
  do {
    count = ::recvmmsg(fd, headers_.data(), kSlots, MSG_DONTWAIT, nullptr);
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
  if (used_ < kSlots) ++used_;
  return count;
}

void PacketReceiver::read_slot(unsigned slot) {
  msghdr& header = headers_[slot].msg_hdr;
  const std::byte* data = arena_.slot(slot);
  const std::uint32_t size = headers_[slot].msg_len;
  runs_[slot] = datagrams::Datagrams::one(data, size);
  locals_[slot].any.sa_family = AF_UNSPEC;
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
      int segment = 0;
      std::memcpy(&segment, CMSG_DATA(c), sizeof segment);
      if (segment > 0) {
        runs_[slot] = datagrams::Datagrams::joined(data, size, static_cast<std::uint32_t>(segment));
      }
    } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
      in_pktinfo info;
      std::memcpy(&info, CMSG_DATA(c), sizeof info);
      sockaddr_in& v4 = locals_[slot].v4;
      v4 = {};
      v4.sin_family = AF_INET;
      v4.sin_addr = info.ipi_spec_dst;
    } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo info;
      std::memcpy(&info, CMSG_DATA(c), sizeof info);
      sockaddr_in6& v6 = locals_[slot].v6;
      v6 = {};
      v6.sin6_family = AF_INET6;
      v6.sin6_addr = info.ipi6_addr;
      // A link-local address means nothing without its interface.
      if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr)) {
        v6.sin6_scope_id = static_cast<std::uint32_t>(info.ipi6_ifindex);
      }
    }
  }
}

SocketAddress PacketReceiver::local(unsigned slot, const SocketAddress& bound) const {
  SocketAddress local = locals_[slot];
  if (local.any.sa_family == AF_INET) {
    local.v4.sin_port = bound.v4.sin_port;
  } else if (local.any.sa_family == AF_INET6) {
    local.v6.sin6_port = bound.v6.sin6_port;
  } else {
    local = bound;
  }
  return local;
}

}  // namespace portunus::portal::quic
