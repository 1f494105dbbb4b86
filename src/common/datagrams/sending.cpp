#include "common/datagrams/sending.hpp"

#include <cerrno>

namespace portunus::datagrams {

int send_many(int fd, mmsghdr* messages, unsigned count) {
  // One message costs less without the loop around it, and most sends are of one.
  if (count == 1) {
    return ::sendmsg(fd, &messages->msg_hdr, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -1 : 1;
  }
  return ::sendmmsg(fd, messages, count, MSG_DONTWAIT | MSG_NOSIGNAL);
}

SegmentLimit learned(SegmentLimit limit, std::uint32_t segment, int error) {
  switch (error) {
    case EINVAL:
    case EMSGSIZE:
      return static_cast<SegmentLimit>(segment - 1);
    case EIO:
    case EOPNOTSUPP:
    case ENOPROTOOPT:
      return 0;
    default:
      return limit;
  }
}

}  // namespace portunus::datagrams
