#include "dataplane/udp/send_batch.hpp"

#include <netinet/udp.h>

#include <algorithm>
#include <cerrno>
#include <numeric>

#include "dataplane/udp/send_result.hpp"

namespace portunus::dataplane::udp {
namespace {

iovec vector_of(const Datagrams& part) {
  return {const_cast<std::byte*>(part.data), part.size};
}

}  // namespace

void SendBatch::start(int fd, SegmentLimit& limit) {
  restart(fd, limit);
  addressed_ = false;
}

void SendBatch::start(int fd, SegmentLimit& limit, const sockaddr_in& to, in_addr from) {
  restart(fd, limit);
  addressed_ = true;
  to_ = to;
  from_ = from;
}

void SendBatch::restart(int fd, SegmentLimit& limit) {
  fd_ = fd;
  limit_ = &limit;
  clear();
}

void SendBatch::clear() {
  messages_ = 0;
  pieces_ = 0;
}

void SendBatch::add(Datagrams& what) {
  while (!what.empty()) {
    if (const std::uint32_t n = room_for(what); n > 0) {
      join(what, n);
    } else if (!begin_message(what)) {
      return;
    }
  }
}

/// How many of them the last message can take.
std::uint32_t SendBatch::room_for(const Datagrams& what) const {
  if (messages_ == 0 || pieces_ == kPieces) return 0;
  const Message& last = info_[messages_ - 1];
  if (!last.open || what.size == 0 || last.segment > *limit_) return 0;
  const bool fits = what.segment == last.segment || (what.count == 1 && what.size < last.segment);
  if (!fits) return 0;
  const std::uint32_t by_bytes = (kMostBytes - last.bytes) / what.segment;
  return std::min({what.count, kMostSegments - last.datagrams, by_bytes});
}

void SendBatch::join(Datagrams& what, std::uint32_t n) {
  const Datagrams part = what.take(n);
  Message& last = info_[messages_ - 1];
  iovec& piece = vectors_[pieces_ - 1];
  if (static_cast<const std::byte*>(piece.iov_base) + piece.iov_len == part.data) {
    piece.iov_len += part.size;
  } else {
    vectors_[pieces_++] = vector_of(part);
    ++headers_[messages_ - 1].msg_hdr.msg_iovlen;
  }
  last.bytes += part.size;
  last.datagrams += part.count;
  last.open = last.bytes == last.segment * last.datagrams;
}

bool SendBatch::begin_message(Datagrams& what) {
  if (messages_ == kMessages || pieces_ == kPieces) return false;
  std::uint32_t n = 1;
  if (what.count > 1 && what.segment <= *limit_) {
    n = std::clamp(kMostBytes / what.segment, 1U, kMostSegments);
  }
  const Datagrams part = what.take(n);
  info_[messages_] = {part.size, part.segment, part.count, part.size > 0 && part.even()};
  msghdr& header = headers_[messages_].msg_hdr;
  header.msg_iov = &vectors_[pieces_];
  header.msg_iovlen = 1;
  vectors_[pieces_++] = vector_of(part);
  ++messages_;
  return true;
}

void SendBatch::finish_headers() {
  for (unsigned i = 0; i < messages_; ++i) {
    msghdr& header = headers_[i].msg_hdr;
    header.msg_name = addressed_ ? &to_ : nullptr;
    header.msg_namelen = addressed_ ? sizeof to_ : 0;
    write_control(i);
  }
}

void SendBatch::write_control(unsigned message) {
  std::byte* const begin = controls_[message].bytes;
  std::byte* end = begin;
  if (addressed_ && from_.s_addr != INADDR_ANY) {
    in_pktinfo info{};
    info.ipi_spec_dst = from_;
    end = datagrams::put_control(end, IPPROTO_IP, IP_PKTINFO, info);
  }
  if (info_[message].datagrams > 1) {
    const auto segment = static_cast<std::uint16_t>(info_[message].segment);
    end = datagrams::put_control(end, IPPROTO_UDP, UDP_SEGMENT, segment);
  }
  msghdr& header = headers_[message].msg_hdr;
  header.msg_control = end == begin ? nullptr : begin;
  header.msg_controllen = static_cast<std::size_t>(end - begin);
}

void SendBatch::book(unsigned message, Sent& sent) const {
  sent.datagrams += info_[message].datagrams;
  sent.bytes += info_[message].bytes;
}

Sent SendBatch::send() {
  finish_headers();
  Sent sent;
  unsigned next = 0;
  while (next < messages_) {
    int accepted = call_(fd_, &headers_[next], messages_ - next);
    for (int i = 0; i < accepted; ++i) book(next++, sent);
    if (next == messages_) break;
    if (accepted > 0) {
      // The kernel reports the part and keeps the reason to itself.
      accepted = call_(fd_, &headers_[next], 1);
      if (accepted == 1) {
        book(next++, sent);
        break;
      }
    }
    const int error = errno;
    if (info_[next].datagrams == 1 || classify(error) == SendResult::evicts) {
      sent.error = error;
      break;
    }
    *limit_ = datagrams::learned(*limit_, info_[next].segment, error);
    if (!send_singly(next++, sent)) break;
  }
  const std::uint32_t all = std::accumulate(
      info_.begin(), info_.begin() + messages_, 0U,
      [](std::uint32_t sum, const Message& message) { return sum + message.datagrams; });
  sent.unsent = all - sent.datagrams;
  clear();
  return sent;
}

bool SendBatch::send_singly(unsigned message, Sent& sent) {
  const msghdr& joined = headers_[message].msg_hdr;
  const std::uint32_t segment = info_[message].segment;
  std::array<iovec, kMostSegments> vectors;
  std::array<mmsghdr, kMostSegments> singles{};
  unsigned count = 0;
  for (std::size_t i = 0; i < joined.msg_iovlen; ++i) {
    Datagrams piece = Datagrams::joined(static_cast<const std::byte*>(joined.msg_iov[i].iov_base),
                                        joined.msg_iov[i].iov_len, segment);
    while (!piece.empty()) {
      vectors[count] = vector_of(piece.take(1));
      msghdr& header = singles[count].msg_hdr;
      header.msg_iov = &vectors[count];
      header.msg_iovlen = 1;
      header.msg_name = joined.msg_name;
      header.msg_namelen = joined.msg_namelen;
      if (addressed_ && from_.s_addr != INADDR_ANY) {
        header.msg_control = joined.msg_control;
        header.msg_controllen = CMSG_SPACE(sizeof(in_pktinfo));
      }
      ++count;
    }
  }
  unsigned done = 0;
  const auto accept = [&](int accepted) {
    for (int i = 0; i < accepted; ++i) {
      ++sent.datagrams;
      sent.bytes += vectors[done++].iov_len;
    }
  };
  int accepted = call_(fd_, singles.data(), count);
  accept(accepted);
  if (done == count) return true;
  if (accepted > 0) {
    accepted = call_(fd_, &singles[done], 1);
    accept(accepted);
  }
  if (accepted < 0) sent.error = errno;
  return false;
}

}  // namespace portunus::dataplane::udp
