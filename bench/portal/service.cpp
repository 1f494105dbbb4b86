#include "service.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <thread>
#include <vector>

#include "../tools/loopback.hpp"
#include "common/net/unique_fd.hpp"

namespace portunus::bench {
namespace {

constexpr std::size_t kChunk = 256 * 1024;
constexpr std::size_t kUdpBatch = 64;
constexpr std::size_t kUdpBytes = 2048;

bool send_all(int fd, const void* data, std::size_t size) {
  const auto* bytes = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t sent = ::send(fd, bytes, size, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes += sent;
    size -= static_cast<std::size_t>(sent);
  }
  return true;
}

/// Takes everything and says how much that was, so that only what has arrived is counted.
void take(int fd, std::vector<char>& buffer) {
  std::uint64_t total = 0;
  std::uint64_t told = 0;
  while (true) {
    const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (got <= 0) return;
    total += static_cast<std::uint64_t>(got);
    if (total - told < kProgressBytes) continue;
    if (!send_all(fd, &total, sizeof total)) return;
    told = total;
  }
}

void give(int fd, const std::vector<char>& buffer) {
  while (send_all(fd, buffer.data(), buffer.size())) {
  }
}

void echo(int fd) {
  // Thousands of them are held: a small buffer.
  std::array<char, 512> buffer;
  while (true) {
    const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (got <= 0 || !send_all(fd, buffer.data(), static_cast<std::size_t>(got))) return;
  }
}

void serve_connection(int raw) {
  const net::UniqueFd fd(raw);
  char kind = 0;
  if (::recv(fd.get(), &kind, 1, 0) != 1) return;
  if (kind == kEcho) return echo(fd.get());
  std::vector<char> buffer(kChunk);
  if (kind == kUpload) take(fd.get(), buffer);
  if (kind == kDownload) give(fd.get(), buffer);
}

int bind_udp(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    fail("UDP");
  }
  const int bytes = 4 * 1024 * 1024;
  ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
  return fd;
}

void echo_datagrams(int fd) {
  std::vector<char> memory(kUdpBatch * kUdpBytes);
  std::array<mmsghdr, kUdpBatch> headers{};
  std::array<iovec, kUdpBatch> vectors{};
  std::array<sockaddr_in, kUdpBatch> sources{};
  while (true) {
    for (std::size_t i = 0; i < kUdpBatch; ++i) {
      vectors[i] = {memory.data() + i * kUdpBytes, kUdpBytes};
      headers[i].msg_hdr = {};
      headers[i].msg_hdr.msg_name = &sources[i];
      headers[i].msg_hdr.msg_namelen = sizeof sources[i];
      headers[i].msg_hdr.msg_iov = &vectors[i];
      headers[i].msg_hdr.msg_iovlen = 1;
    }
    const int got = ::recvmmsg(fd, headers.data(), kUdpBatch, MSG_WAITFORONE, nullptr);
    if (got <= 0) continue;  // the ICMP error of an earlier answer
    for (int i = 0; i < got; ++i) {
      vectors[static_cast<std::size_t>(i)].iov_len = headers[static_cast<std::size_t>(i)].msg_len;
    }
    for (int sent = 0; sent < got;) {
      const int done = ::sendmmsg(fd, headers.data() + sent, static_cast<unsigned>(got - sent), 0);
      sent += done > 0 ? done : 1;
    }
  }
}

}  // namespace

void serve(std::uint16_t port) {
  const int listener = listen_loopback(port);
  std::thread(echo_datagrams, bind_udp(port)).detach();
  while (true) {
    const int fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd >= 0) {
      std::thread(serve_connection, fd).detach();
    } else if (errno != EINTR && errno != ECONNABORTED) {
      fail("accept");
    }
  }
}

}  // namespace portunus::bench
