// Round-trip time of 64-byte messages on one connection, and the echo server they come back from.
//   pingpong serve <port>
//   pingpong ping <port> <round_trips> <max_seconds>    prints one JSON object
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string_view>
#include <vector>

#include "loopback.hpp"

namespace {

using Clock = std::chrono::steady_clock;
namespace bench = portunus::bench;

constexpr std::string_view kUsage =
    "pingpong serve <port> | pingpong ping <port> <round_trips> <max_seconds>";
constexpr std::size_t kMessageSize = 64;
// The first exchanges pay for slow start, page faults and a cold scheduler: they are not steady
// state.
constexpr std::uint32_t kWarmUp = 200;

void watch(int epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  if (::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) bench::fail("epoll_ctl");
}

// False when the peer is gone.
bool echo_once(int fd) {
  static std::array<char, 65536> buffer;
  const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  if (got == 0) return false;
  return ::send(fd, buffer.data(), static_cast<std::size_t>(got), MSG_NOSIGNAL) == got;
}

[[noreturn]] void serve(std::uint16_t port) {
  const int listener = bench::listen_loopback(port);
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) bench::fail("epoll_create1");
  watch(epoll, listener);
  std::array<epoll_event, 256> ready{};
  for (;;) {
    const int count = ::epoll_wait(epoll, ready.data(), static_cast<int>(ready.size()), -1);
    if (count < 0 && errno != EINTR) bench::fail("epoll_wait");
    for (int i = 0; i < count; ++i) {
      const int fd = ready[static_cast<std::size_t>(i)].data.fd;
      if (fd != listener) {
        if (!echo_once(fd)) ::close(fd);
        continue;
      }
      const int peer = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
      if (peer < 0) {
        if (errno == EINTR || errno == ECONNABORTED) continue;
        bench::fail("accept");
      }
      const int on = 1;
      if (::setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) {
        bench::fail("TCP_NODELAY");
      }
      watch(epoll, peer);
    }
  }
}

void exchange(int fd) {
  std::array<char, kMessageSize> message{};
  if (::send(fd, message.data(), message.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(message.size())) {
    bench::fail("send");
  }
  if (::recv(fd, message.data(), message.size(), MSG_WAITALL) !=
      static_cast<ssize_t>(message.size())) {
    bench::fail("receive");
  }
}

double percentile_us(const std::vector<std::int64_t>& sorted_ns, double fraction) {
  const auto last = static_cast<double>(sorted_ns.size() - 1);
  return static_cast<double>(sorted_ns[static_cast<std::size_t>(last * fraction)]) / 1000.0;
}

void ping(std::uint16_t port, std::uint32_t round_trips, std::uint32_t max_seconds) {
  const int fd = bench::connect_loopback(port, 5);
  for (std::uint32_t i = 0; i < kWarmUp; ++i) exchange(fd);

  std::vector<std::int64_t> taken_ns;
  taken_ns.reserve(round_trips);
  const auto deadline = Clock::now() + std::chrono::seconds(max_seconds);
  auto before = Clock::now();
  while (taken_ns.size() < round_trips && before < deadline) {
    exchange(fd);
    const auto after = Clock::now();
    taken_ns.push_back(
        std::chrono::duration_cast<std::chrono::nanoseconds>(after - before).count());
    before = after;
  }
  ::close(fd);
  if (taken_ns.empty()) {
    errno = ETIMEDOUT;
    bench::fail("ping");
  }
  std::ranges::sort(taken_ns);
  std::printf("{\"round_trips\": %zu, \"p50_us\": %.3f, \"p99_us\": %.3f}\n", taken_ns.size(),
              percentile_us(taken_ns, 0.50), percentile_us(taken_ns, 0.99));
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string_view> args(argv + 1, argv + argc);
  const auto port_of = [&] {
    return static_cast<std::uint16_t>(bench::parse_number(args[1], 1, 65535, kUsage));
  };
  if (args.size() == 2 && args[0] == "serve") serve(port_of());
  if (args.size() != 4 || args[0] != "ping") bench::usage_error(kUsage);
  ping(port_of(), bench::parse_number(args[2], 1, 10'000'000, kUsage),
       bench::parse_number(args[3], 1, 600, kUsage));
  return 0;
}
