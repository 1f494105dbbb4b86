#include "portal/quic/udp_socket.hpp"

#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/udp.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "portal/quic/errc.hpp"

namespace portunus::portal::quic {
namespace {

using net::UniqueFd;

/// Portal section 8; the kernel grants what it may.
constexpr int kSocketBuffer = 4 * 1024 * 1024;

bool set_option(int fd, int level, int option, int value) {
  return ::setsockopt(fd, level, option, &value, sizeof value) == 0;
}

UniqueFd open_socket(int family) {
  UniqueFd fd(::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd && family == AF_INET6 && !set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1)) return {};
  return fd;
}

/// Everything is dropped until hear(), so that a source meets the same socket from its first
/// packet on. Where that is not allowed, a packet is handed over in user space.
void deafen(int fd) {
  sock_filter drop_all{.code = BPF_RET | BPF_K, .jt = 0, .jf = 0, .k = 0};
  const sock_fprog filter{.len = 1, .filter = &drop_all};
  ::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
}

/// What both roles need: room, joined packets in, no fragments out (RFC 9000 section 14).
void tune(int fd, int family) {
  set_option(fd, SOL_SOCKET, SO_RCVBUF, kSocketBuffer);
  set_option(fd, SOL_SOCKET, SO_SNDBUF, kSocketBuffer);
  set_option(fd, IPPROTO_UDP, UDP_GRO, 1);
  if (family == AF_INET6) {
    set_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
  } else {
    set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
  }
}

bool hear(int fd, int family) {
  tune(fd, family);
  // A reply must come from the address that its source knows.
  const bool told = family == AF_INET6 ? set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)
                                       : set_option(fd, IPPROTO_IP, IP_PKTINFO, 1);
  return told && (set_option(fd, SOL_SOCKET, SO_DETACH_FILTER, 0) || errno == ENOENT);
}

UniqueFd bind_one(const net::Endpoint& address, bool join) {
  UniqueFd fd = open_socket(address.family());
  if (!fd) return {};
  if (join && !set_option(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1)) return {};
  deafen(fd.get());
  const SocketAddress bound = SocketAddress::from(address);
  if (::bind(fd.get(), &bound.any, bound.size()) != 0) return {};
  return fd;
}

net::Endpoint name_of(int fd) {
  SocketAddress address;
  socklen_t size = sizeof address;
  if (::getsockname(fd, &address.any, &size) != 0) return {};
  return address.endpoint();
}

/// Sends each packet to the socket whose number owner() gives (connection_id.hpp): in a long header
/// the destination id begins behind flags, version and its length, in a short one behind the flags.
bool steer(int fd, unsigned workers) {
  std::array<sock_filter, 7> code{{
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x80, 0, 2),
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 6),
      BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0),
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 1),
      BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, workers),
      BPF_STMT(BPF_RET | BPF_A, 0),
  }};
  const sock_fprog program{.len = static_cast<unsigned short>(code.size()), .filter = code.data()};
  return ::setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof program) == 0;
}

/// Where no more sockets can be had, all cores use the first one.
std::vector<UniqueFd> share(const UniqueFd& first, unsigned others) {
  std::vector<UniqueFd> shared;
  for (unsigned i = 0; i < others; ++i) {
    shared.emplace_back(::fcntl(first.get(), F_DUPFD_CLOEXEC, 0));
  }
  return shared;
}

/// A socket for each of the other workers.
std::vector<UniqueFd> join(const UniqueFd& first, const net::Endpoint& address, unsigned others) {
  std::vector<UniqueFd> joined;
  if (others == 0) return joined;
  if (!set_option(first.get(), SOL_SOCKET, SO_REUSEPORT, 1)) return share(first, others);
  for (unsigned i = 0; i < others; ++i) {
    UniqueFd fd = bind_one(address, true);
    if (!fd) {
      joined.clear();
      set_option(first.get(), SOL_SOCKET, SO_REUSEPORT, 0);
      return share(first, others);
    }
    joined.push_back(std::move(fd));
  }
  // Without the filter the kernel spreads by address, and packets are handed over in user space.
  steer(first.get(), others + 1);
  return joined;
}

}  // namespace

SocketAddress SocketAddress::from(const net::Endpoint& endpoint) {
  sockaddr_storage storage{};
  endpoint.to_sockaddr(storage);
  SocketAddress address;
  std::memcpy(&address, &storage, sizeof address);
  return address;
}

net::Endpoint SocketAddress::endpoint() const {
  sockaddr_storage storage{};
  std::memcpy(&storage, this, sizeof *this);
  return net::Endpoint::from_sockaddr(storage).value_or(net::Endpoint());
}

Result<BoundSockets> bind_sockets(std::span<const net::Endpoint> addresses, unsigned workers) {
  BoundSockets bound(workers);
  for (const net::Endpoint& address : addresses) {
    UniqueFd fd = bind_one(address, false);
    if (!fd) return fail_errno(errno, "UDP " + address.text());
    // With port 0 the others join the port that the first was given.
    const net::Endpoint local = name_of(fd.get());
    std::vector<UniqueFd> others = join(fd, local, workers - 1);
    bool heard = hear(fd.get(), address.family());
    for (const UniqueFd& other : others) {
      heard = other && hear(other.get(), address.family()) && heard;
    }
    if (!heard) return fail_errno(errno, "UDP " + address.text());
    bound[0].push_back({std::move(fd), local});
    for (std::size_t i = 0; i < others.size(); ++i) {
      bound[i + 1].push_back({std::move(others[i]), local});
    }
  }
  return bound;
}

Result<BoundSocket> connect_socket(const net::Endpoint& remote) {
  UniqueFd fd = open_socket(remote.family());
  if (!fd) return fail(Error(Errc::no_socket, std::strerror(errno)));
  tune(fd.get(), remote.family());
  const SocketAddress to = SocketAddress::from(remote);
  if (::connect(fd.get(), &to.any, to.size()) != 0)
    return fail_errno(errno, "UDP " + remote.text());
  net::Endpoint local = name_of(fd.get());
  return BoundSocket{std::move(fd), local};
}

}  // namespace portunus::portal::quic
