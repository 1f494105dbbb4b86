#include "dataplane/udp/bind_ports.hpp"

#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace portunus::dataplane::udp {
namespace {

using net::UniqueFd;

/// Room for what arrives while a worker is busy with other sockets; the kernel grants what it may.
constexpr int kSocketBuffer = 1 << 20;

bool set_option(int fd, int level, int option, int value) {
  return ::setsockopt(fd, level, option, &value, sizeof value) == 0;
}

/// Everything is dropped until hear(). Where that is not allowed, a source whose first datagram
/// comes between two sockets of its port has a second flow for a while, and nothing worse.
void deafen(int fd) {
  sock_filter drop_all{.code = BPF_RET | BPF_K, .jt = 0, .jf = 0, .k = 0};
  const sock_fprog filter{.len = 1, .filter = &drop_all};
  ::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
}

/// Bound to the port; invalid with errno otherwise.
UniqueFd bind_one(std::uint16_t port, bool join) {
  UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return {};
  if (join && !set_option(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1)) return {};
  deafen(fd.get());
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_port = htons(port);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any) != 0) return {};
  return fd;
}

bool hear(int fd, bool gro) {
  set_option(fd, SOL_SOCKET, SO_RCVBUF, kSocketBuffer);
  set_option(fd, SOL_SOCKET, SO_SNDBUF, kSocketBuffer);
  if (gro) set_option(fd, IPPROTO_UDP, UDP_GRO, 1);
  // A reply must come from the address that its source knows.
  if (!set_option(fd, IPPROTO_IP, IP_PKTINFO, 1)) return false;
  return set_option(fd, SOL_SOCKET, SO_DETACH_FILTER, 0) || errno == ENOENT;
}

/// One more socket for each of the other workers, or none.
std::vector<UniqueFd> join(const UniqueFd& first, std::uint16_t port, unsigned others) {
  std::vector<UniqueFd> joined;
  if (others == 0 || !set_option(first.get(), SOL_SOCKET, SO_REUSEPORT, 1)) return joined;
  for (unsigned i = 0; i < others; ++i) {
    UniqueFd fd = bind_one(port, true);
    if (!fd) {
      set_option(first.get(), SOL_SOCKET, SO_REUSEPORT, 0);
      return {};
    }
    joined.push_back(std::move(fd));
  }
  return joined;
}

std::string_view reason_of(int error) {
  if (error == EADDRINUSE) return "port_in_use";
  if (error == EACCES || error == EPERM) return "permission_denied";
  return "bind_failed";
}

}  // namespace

std::expected<BoundPorts, BindFailure> bind_ports(std::uint16_t first, std::uint32_t count,
                                                  unsigned workers, bool gro) {
  BoundPorts bound(workers);
  const bool shared = count * workers <= kMostSharedSockets;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto offset = static_cast<std::uint16_t>(i);
    const auto port = static_cast<std::uint16_t>(first + i);
    UniqueFd fd = bind_one(port, false);
    if (!fd) return std::unexpected(BindFailure{reason_of(errno), port});
    std::vector<UniqueFd> others = join(fd, port, shared ? workers - 1 : 0);
    bool heard = hear(fd.get(), gro);
    for (const UniqueFd& other : others) heard = hear(other.get(), gro) && heard;
    if (!heard) return std::unexpected(BindFailure{"bind_failed", port});
    const unsigned home = shared ? 0 : i % workers;
    bound[home].push_back({offset, std::move(fd), true});
    for (std::size_t o = 0; o < others.size(); ++o) {
      bound[o + 1].push_back({offset, std::move(others[o]), false});
    }
  }
  return bound;
}

}  // namespace portunus::dataplane::udp
