#include "common/datagrams/offload.hpp"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include "common/net/unique_fd.hpp"

namespace portunus::datagrams {
namespace {

bool knows(int fd, int option) {
  int value = 0;
  socklen_t size = sizeof value;
  return ::getsockopt(fd, IPPROTO_UDP, option, &value, &size) == 0;
}

}  // namespace

Offload Offload::of_host() {
  const net::UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd) return {};
  return {.gro = knows(fd.get(), UDP_GRO), .gso = knows(fd.get(), UDP_SEGMENT)};
}

}  // namespace portunus::datagrams
