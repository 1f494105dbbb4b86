#include "tests/dataplane/support/datagram_sockets.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>
#include <vector>

#include "common/net/endpoint.hpp"

namespace portunus::test {
namespace {

constexpr int kBuffer = 8 << 20;

[[noreturn]] void die(const char* what) {
  throw std::system_error(errno, std::system_category(), what);
}

socklen_t address_of(sockaddr_storage& out, const std::string& address, std::uint16_t port) {
  return net::Endpoint(net::IpAddress::parse(address).value(), port).to_sockaddr(out);
}

bool can_bind(std::uint16_t port) {
  const net::UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_storage any;
  const socklen_t size = address_of(any, "0.0.0.0", port);
  return fd && ::bind(fd.get(), reinterpret_cast<sockaddr*>(&any), size) == 0;
}

}  // namespace

std::uint16_t free_udp_port(std::uint32_t count) {
  // Programs that run at the same time start at different places.
  static std::atomic<unsigned> next{static_cast<unsigned>(::getpid()) * 7919U};
  while (true) {
    const auto first = static_cast<std::uint16_t>(11000 + next.fetch_add(count) % 20000);
    std::uint32_t i = 0;
    while (i < count && can_bind(static_cast<std::uint16_t>(first + i))) ++i;
    if (i == count) return first;
  }
}

UdpSocket::UdpSocket(const std::string& address, std::uint16_t port) {
  sockaddr_storage own;
  socklen_t size = address_of(own, address, port);
  fd_.reset(::socket(own.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd_) die("socket");
  // What tests send at once must fit, for loopback drops what does not.
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &kBuffer, sizeof kBuffer);
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_SNDBUF, &kBuffer, sizeof kBuffer);
  if (::bind(fd_.get(), reinterpret_cast<sockaddr*>(&own), size) != 0) die("bind");
  ::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&own), &size);
  port_ = net::Endpoint::from_sockaddr(own)->port();
}

void UdpSocket::connect(std::uint16_t port, const std::string& address) {
  sockaddr_storage peer;
  const socklen_t size = address_of(peer, address, port);
  if (::connect(fd_.get(), reinterpret_cast<sockaddr*>(&peer), size) != 0) die("connect");
}

bool UdpSocket::send(const std::string& bytes) {
  return ::send(fd_.get(), bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size());
}

bool UdpSocket::send_to(const std::string& bytes, const sockaddr_storage& to) {
  const socklen_t size = to.ss_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  return ::sendto(fd_.get(), bytes.data(), bytes.size(), 0, reinterpret_cast<const sockaddr*>(&to),
                  size) == static_cast<ssize_t>(bytes.size());
}

void UdpSocket::send_to_port(const std::string& bytes, std::uint16_t port) {
  sockaddr_storage to;
  address_of(to, "127.0.0.1", port);
  if (!send_to(bytes, to)) die("sendto");
}

bool UdpSocket::pending(std::chrono::milliseconds patience) const {
  pollfd p{fd_.get(), POLLIN, 0};
  return ::poll(&p, 1, static_cast<int>(patience.count())) == 1;
}

std::optional<UdpSocket::Received> UdpSocket::receive_from(std::chrono::milliseconds patience) {
  if (!pending(patience)) return std::nullopt;
  Received out{std::string(70'000, '\0'), {}, 0};
  socklen_t size = sizeof out.from;
  const ssize_t n = ::recvfrom(fd_.get(), out.bytes.data(), out.bytes.size(), 0,
                               reinterpret_cast<sockaddr*>(&out.from), &size);
  if (n < 0) return std::nullopt;
  out.bytes.resize(static_cast<std::size_t>(n));
  out.from_port = net::Endpoint::from_sockaddr(out.from)->port();
  return out;
}

std::optional<std::string> UdpSocket::receive(std::chrono::milliseconds patience) {
  auto received = receive_from(patience);
  if (!received) return std::nullopt;
  return std::move(received->bytes);
}

bool UdpSocket::silent(std::chrono::milliseconds moment) {
  return !pending(moment);
}

UdpServer::UdpServer(Answer answer, const std::string& address)
    : socket_(address),
      answer_(answer ? std::move(answer) : [](const std::string& request) { return request; }),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

UdpServer::~UdpServer() {
  thread_.request_stop();
}

void UdpServer::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const auto request = socket_.receive_from(std::chrono::milliseconds(10));
    if (!request) continue;
    ++requests_;
    socket_.send_to(answer_(request->bytes), request->from);
  }
}

}  // namespace portunus::test
