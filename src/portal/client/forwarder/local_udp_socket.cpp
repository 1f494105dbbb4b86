#include "portal/client/forwarder/local_udp_socket.hpp"

#include <netinet/in.h>

#include <cerrno>
#include <utility>

namespace portunus::portal::client::forwarder {
namespace {

constexpr int kBufferBytes = 4 * 1024 * 1024;

void enlarge(int fd, int option) {
  // The system may grant less, which is what it allows here.
  ::setsockopt(fd, SOL_SOCKET, option, &kBufferBytes, sizeof kBufferBytes);
}

}  // namespace

LocalUdpSocket::LocalUdpSocket(net::UniqueFd fd, net::Endpoint local)
    : fd_(std::move(fd)), local_(local), batch_(std::make_unique<Batch>()) {
  batch_->memory = std::make_unique_for_overwrite<std::uint8_t[]>(kBatch * kMostBytes);
  for (unsigned i = 0; i < kBatch; ++i) {
    batch_->vectors[i] = {batch_->memory.get() + i * kMostBytes, kMostBytes};
    batch_->headers[i] = {};
    batch_->headers[i].msg_hdr.msg_iov = &batch_->vectors[i];
    batch_->headers[i].msg_hdr.msg_iovlen = 1;
    batch_->headers[i].msg_hdr.msg_name = &batch_->sources[i];
  }
}

Result<LocalUdpSocket> LocalUdpSocket::bind(const net::Endpoint& local) {
  net::UniqueFd fd(::socket(local.family(), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return fail_errno(errno, local.text());
  const int on = 1;
  if (local.family() == AF_INET6 &&
      ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0) {
    return fail_errno(errno, local.text());
  }
  enlarge(fd.get(), SO_RCVBUF);
  enlarge(fd.get(), SO_SNDBUF);
  sockaddr_storage storage{};
  socklen_t length = local.to_sockaddr(storage);
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  if (::bind(fd.get(), address, length) != 0) return fail_errno(errno, local.text());
  length = sizeof storage;
  if (::getsockname(fd.get(), address, &length) != 0) return fail_errno(errno, local.text());
  const auto bound = net::Endpoint::from_sockaddr(storage);
  return LocalUdpSocket(std::move(fd), bound.value_or(local));
}

unsigned LocalUdpSocket::receive() {
  for (mmsghdr& header : batch_->headers) header.msg_hdr.msg_namelen = sizeof(sockaddr_storage);
  // An error that an earlier send left behind is reported once, and hides nothing.
  for (int attempt = 0; attempt < 8; ++attempt) {
    const int got = ::recvmmsg(fd_.get(), batch_->headers.data(), kBatch, MSG_DONTWAIT, nullptr);
    if (got >= 0) return static_cast<unsigned>(got);
    if (errno == EAGAIN) return 0;
  }
  return 0;
}

std::span<const std::uint8_t> LocalUdpSocket::payload(unsigned index) const {
  return {batch_->memory.get() + index * kMostBytes, batch_->headers[index].msg_len};
}

const sockaddr_storage& LocalUdpSocket::source(unsigned index) const {
  return batch_->sources[index];
}

bool LocalUdpSocket::send(const sockaddr_storage& to, std::span<const std::uint8_t> payload) const {
  const socklen_t length = to.ss_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  const ssize_t sent =
      ::sendto(fd_.get(), payload.data(), payload.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
               reinterpret_cast<const sockaddr*>(&to), length);
  return sent == static_cast<ssize_t>(payload.size());
}

}  // namespace portunus::portal::client::forwarder
