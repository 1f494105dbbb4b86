#include "portal/quic/packet_batch.hpp"

#include <netinet/udp.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

namespace portunus::portal::quic {
namespace {

std::byte* put_source(std::byte* at, const SocketAddress& local) {
  if (local.any.sa_family == AF_INET6) {
    in6_pktinfo info{};
    info.ipi6_addr = local.v6.sin6_addr;
    info.ipi6_ifindex = local.v6.sin6_scope_id;
    return datagrams::put_control(at, IPPROTO_IPV6, IPV6_PKTINFO, info);
  }
  in_pktinfo info{};
  info.ipi_spec_dst = local.v4.sin_addr;
  return datagrams::put_control(at, IPPROTO_IP, IP_PKTINFO, info);
}

bool same_address(const SocketAddress& a, const SocketAddress& b) {
  return a.any.sa_family == b.any.sa_family && std::memcmp(&a, &b, a.size()) == 0;
}

}  // namespace

std::span<std::uint8_t> PacketBatch::reserve(std::size_t size) {
  if (full_ >= 0 || count_ == kMessages || used_ + size > kArena) return {};
  if (arena_ == nullptr) {
    arena_.reset(new (std::nothrow) std::uint8_t[kArena]);
    if (arena_ == nullptr) return {};
  }
  return {arena_.get() + used_, size};
}

bool PacketBatch::same_way(const PacketWay& a, const PacketWay& b) const {
  if (a.fd != b.fd) return false;
  return a.connected || (same_address(a.remote, b.remote) && same_address(a.local, b.local));
}

void PacketBatch::commit(const PacketWay& way, std::size_t size) {
  if (count_ > next_) {
    Message& last = messages_[count_ - 1];
    const bool joins = last.way.limit != nullptr && last.segment <= *last.way.limit;
    if (joins && last.open && size <= last.segment && last.packets < kMostSegments &&
        last.bytes + size <= kMostBytes && same_way(last.way, way)) {
      last.bytes += size;
      ++last.packets;
      last.open = size == last.segment;
      used_ += size;
      return;
    }
  }
  messages_[count_++] = {way, used_, size, size, 1, true};
  used_ += size;
}

void PacketBatch::forget(int fd) {
  for (unsigned i = next_; i < count_; ++i) {
    if (messages_[i].way.fd == fd) messages_[i].way.fd = -1;
  }
  if (full_ == fd) full_ = -1;
}

void PacketBatch::forget(const datagrams::SegmentLimit& limit) {
  for (unsigned i = next_; i < count_; ++i) {
    if (messages_[i].way.limit == &limit) messages_[i].way.limit = nullptr;
  }
}

void PacketBatch::finish(unsigned message) {
  Message& what = messages_[message];
  vectors_[message] = {arena_.get() + what.begin, what.bytes};
  msghdr& header = headers_[message].msg_hdr;
  header = {};
  header.msg_iov = &vectors_[message];
  header.msg_iovlen = 1;
  std::byte* const begin = controls_[message].bytes;
  std::byte* end = begin;
  if (!what.way.connected) {
    header.msg_name = &what.way.remote;
    header.msg_namelen = what.way.remote.size();
    end = put_source(end, what.way.local);
  }
  if (what.packets > 1) {
    end = datagrams::put_control(end, IPPROTO_UDP, UDP_SEGMENT,
                                 static_cast<std::uint16_t>(what.segment));
  }
  header.msg_control = end == begin ? nullptr : begin;
  header.msg_controllen = static_cast<std::size_t>(end - begin);
}

unsigned PacketBatch::run_of_one_socket() const {
  unsigned end = next_ + 1;
  while (end < count_ && messages_[end].way.fd == messages_[next_].way.fd) ++end;
  return end - next_;
}

bool PacketBatch::send() {
  for (unsigned i = next_; i < count_; ++i) finish(i);
  full_ = -1;
  bool retried = false;
  while (next_ < count_) {
    const int fd = messages_[next_].way.fd;
    const int accepted = call_(fd, &headers_[next_], run_of_one_socket());
    if (accepted > 0) {
      next_ += static_cast<unsigned>(accepted);
      retried = false;
      continue;
    }
    const int error = errno;
    if (error == EINTR) continue;
    if (error == EAGAIN) {
      full_ = fd;
      return false;
    }
    // An ICMP error of an earlier packet ends one call; the packet at hand is innocent.
    if (!retried && (error == ECONNREFUSED || error == EHOSTUNREACH || error == ENETUNREACH)) {
      retried = true;
      continue;
    }
    if (messages_[next_].packets > 1 && error != ENOBUFS && error != EPERM) {
      if (datagrams::SegmentLimit* const limit = messages_[next_].way.limit) {
        *limit =
            datagrams::learned(*limit, static_cast<std::uint32_t>(messages_[next_].segment), error);
      }
      if (!send_singly(next_)) return false;
    }
    // Lost, as on the way: a probe that was too long, a route that is gone.
    ++next_;
    retried = false;
  }
  next_ = count_ = 0;
  used_ = 0;
  return true;
}

bool PacketBatch::send_singly(unsigned message) {
  Message& what = messages_[message];
  while (true) {
    const Message rest = what;
    what.bytes = std::min(what.segment, what.bytes);
    what.packets = 1;
    finish(message);
    if (call_(what.way.fd, &headers_[message], 1) < 0 && errno == EAGAIN) {
      what = rest;
      finish(message);
      full_ = what.way.fd;
      return false;
    }
    if (rest.packets == 1) return true;
    const std::size_t sent = what.bytes;
    what = rest;
    what.begin += sent;
    what.bytes -= sent;
    --what.packets;
  }
}

}  // namespace portunus::portal::quic
