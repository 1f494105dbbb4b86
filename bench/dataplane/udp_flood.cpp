// Both ends of a UDP measurement, over IPv4 loopback only. Every mode is bounded in time.
//
//   udp_flood sink <port> <seconds> [echo]
//       receives, or also answers; prints what came when the time is over or on SIGTERM
//   udp_flood send <port> <flows> <size> <burst> <seconds> [datagrams/s]
//       sends bursts from `flows` sources in turn, as fast as it can or at that rate; prints what
//       it sent and what came back
//   udp_flood hold <port> <flows> <seconds>
//       opens that many flows against an echo, each proven by one datagram there and back, prints
//       "held" and keeps them

#include <arpa/inet.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr unsigned kBatch = 64;
constexpr std::size_t kLargest = 65'507;
constexpr int kSocketBuffer = 4 << 20;

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "error: %s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

[[noreturn]] void usage() {
  std::fprintf(stderr,
               "usage: udp_flood sink <port> <seconds> [echo]\n"
               "       udp_flood send <port> <flows> <size> <burst> <seconds> [datagrams/s]\n"
               "       udp_flood hold <port> <flows> <seconds>\n");
  std::exit(2);
}

std::uint64_t number(std::string_view text, std::uint64_t low, std::uint64_t high) {
  std::uint64_t value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc{} || end != text.data() + text.size() || value < low || value > high) usage();
  return value;
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int open_socket() {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("socket");
  ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kSocketBuffer, sizeof kSocketBuffer);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &kSocketBuffer, sizeof kSocketBuffer);
  return fd;
}

/// Messages with room of their own, for one sendmmsg or recvmmsg.
struct Batch {
  explicit Batch(std::size_t size) : memory(kBatch * size) {
    for (unsigned i = 0; i < kBatch; ++i) {
      vectors[i] = {memory.data() + i * size, size};
      messages[i].msg_hdr.msg_iov = &vectors[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
  }
  std::vector<char> memory;
  std::array<iovec, kBatch> vectors;
  std::array<mmsghdr, kBatch> messages{};
};

volatile std::sig_atomic_t stopped = 0;

int sink(std::uint16_t port, std::chrono::seconds time, bool echo) {
  std::signal(SIGTERM, [](int) { stopped = 1; });
  const int fd = open_socket();
  const sockaddr_in own = loopback(port);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0) fail("bind");
  std::puts("ready");
  std::fflush(stdout);
  Batch batch(kLargest);
  std::array<sockaddr_in, kBatch> sources;
  std::uint64_t datagrams = 0;
  std::uint64_t bytes = 0;
  const auto end = Clock::now() + time;
  while (stopped == 0 && Clock::now() < end) {
    pollfd p{fd, POLLIN, 0};
    if (::poll(&p, 1, 50) <= 0) continue;
    for (unsigned i = 0; i < kBatch; ++i) {
      batch.vectors[i].iov_len = kLargest;
      batch.messages[i].msg_hdr.msg_name = &sources[i];
      batch.messages[i].msg_hdr.msg_namelen = sizeof sources[i];
    }
    const int n = ::recvmmsg(fd, batch.messages.data(), kBatch, MSG_DONTWAIT, nullptr);
    for (int i = 0; i < n; ++i) {
      const auto at = static_cast<unsigned>(i);
      batch.vectors[at].iov_len = batch.messages[at].msg_len;
      bytes += batch.messages[at].msg_len;
    }
    if (n <= 0) continue;
    datagrams += static_cast<unsigned>(n);
    if (echo) (void)::sendmmsg(fd, batch.messages.data(), static_cast<unsigned>(n), 0);
  }
  std::printf("received %llu datagrams %llu bytes\n", static_cast<unsigned long long>(datagrams),
              static_cast<unsigned long long>(bytes));
  return 0;
}

std::vector<int> open_flows(std::uint16_t port, std::size_t flows) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  const sockaddr_in target = loopback(port);
  std::vector<int> fds;
  for (std::size_t i = 0; i < flows; ++i) {
    fds.push_back(open_socket());
    if (::connect(fds.back(), reinterpret_cast<const sockaddr*>(&target), sizeof target) != 0) {
      fail("connect");
    }
  }
  return fds;
}

/// Whatever has come back by now.
std::uint64_t drain(int fd, Batch& batch) {
  std::uint64_t count = 0;
  while (true) {
    const int n = ::recvmmsg(fd, batch.messages.data(), kBatch, MSG_DONTWAIT, nullptr);
    if (n > 0) count += static_cast<unsigned>(n);
    if (n < static_cast<int>(kBatch)) return count;
  }
}

int send(std::uint16_t port, std::size_t flows, std::size_t size, unsigned burst,
         std::chrono::seconds time, std::uint64_t rate) {
  const std::vector<int> fds = open_flows(port, flows);
  Batch out(size);
  Batch in(kLargest);
  std::uint64_t sent = 0;
  std::uint64_t replies = 0;
  const auto begin = Clock::now();
  const auto end = begin + time;
  for (std::size_t flow = 0; Clock::now() < end; flow = (flow + 1) % flows) {
    if (rate > 0) {
      const std::chrono::duration<double> due(static_cast<double>(sent) /
                                              static_cast<double>(rate));
      while (Clock::now() - begin < due) {
        if (due - (Clock::now() - begin) > std::chrono::microseconds(200)) ::usleep(100);
      }
    }
    const int n = ::sendmmsg(fds[flow], out.messages.data(), burst, 0);
    if (n > 0) sent += static_cast<unsigned>(n);
    replies += drain(fds[flow], in);
  }
  ::usleep(200'000);
  for (const int fd : fds) replies += drain(fd, in);
  std::printf("sent %llu replies %llu\n", static_cast<unsigned long long>(sent),
              static_cast<unsigned long long>(replies));
  return 0;
}

int hold(std::uint16_t port, std::size_t flows, std::chrono::seconds time) {
  const std::vector<int> fds = open_flows(port, flows);
  for (const int fd : fds) {
    char byte = 'x';
    bool proven = false;
    for (int i = 0; i < 50 && !proven; ++i) {
      (void)::send(fd, &byte, 1, 0);
      pollfd p{fd, POLLIN, 0};
      proven = ::poll(&p, 1, 100) == 1 && ::recv(fd, &byte, 1, MSG_DONTWAIT) == 1;
    }
    if (!proven) fail("no answer");
  }
  std::printf("held %zu\n", fds.size());
  std::fflush(stdout);
  pollfd input{STDIN_FILENO, POLLIN, 0};
  ::poll(&input, 1, static_cast<int>(time.count() * 1000));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string_view> args(argv + 1, argv + argc);
  if (args.size() < 3) usage();
  const auto port = static_cast<std::uint16_t>(number(args[1], 1, 65'535));
  const auto seconds = [](std::string_view text) {
    return std::chrono::seconds(number(text, 1, 600));
  };
  if (args[0] == "sink") return sink(port, seconds(args[2]), args.size() > 3 && args[3] == "echo");
  if (args[0] == "hold" && args.size() == 4) {
    return hold(port, number(args[2], 1, 60'000), seconds(args[3]));
  }
  if (args[0] != "send" || args.size() < 6) usage();
  return send(port, number(args[2], 1, 60'000), number(args[3], 0, kLargest),
              static_cast<unsigned>(number(args[4], 1, kBatch)), seconds(args[5]),
              args.size() > 6 ? number(args[6], 1, 100'000'000) : 0);
}
