#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace portunus::datagrams {

/// Sends like sendmmsg(2) without waiting; tests put their own in its place.
using SendMany = int (*)(int fd, mmsghdr* messages, unsigned count);
int send_many(int fd, mmsghdr* messages, unsigned count);

/// The longest datagrams that may leave joined on one way (GSO); 0 = none. Learned as the kernel
/// refuses: it depends on the way's MTU and on the interface.
using SegmentLimit = std::uint16_t;
inline constexpr SegmentLimit kAnySegment = 65'535;

/// What `error`, of a joined message of such segments, says about those to come. What was refused
/// may have been the joining; a full buffer says nothing about that.
SegmentLimit learned(SegmentLimit limit, std::uint32_t segment, int error);

/// Writes one control message at `at`; where the next one goes.
template <class Value>
std::byte* put_control(std::byte* at, int level, int type, const Value& value) {
  cmsghdr header{};
  header.cmsg_level = level;
  header.cmsg_type = type;
  header.cmsg_len = CMSG_LEN(sizeof value);
  std::memcpy(at, &header, sizeof header);
  std::memcpy(at + CMSG_LEN(0), &value, sizeof value);
  return at + CMSG_SPACE(sizeof value);
}

}  // namespace portunus::datagrams
