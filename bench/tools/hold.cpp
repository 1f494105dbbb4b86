// Opens connections to an echo service, proves each one end to end with one byte there and back,
// then holds them idle until its stdin closes.
//   hold <port> <connections> <max_seconds>    prints "held <connections>" once all stand
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <string_view>
#include <vector>

#include "loopback.hpp"

namespace {

namespace bench = portunus::bench;

constexpr std::string_view kUsage = "hold <port> <connections> <max_seconds>";
// A forwarder accepts in bursts; more than this at once would measure listen queues instead.
constexpr std::size_t kBatch = 64;
constexpr std::uint32_t kStepSeconds = 5;

void open_batch(std::uint16_t port, std::size_t count, std::vector<int>& held) {
  const std::size_t first = held.size();
  for (std::size_t i = 0; i < count; ++i) {
    const int fd = bench::connect_loopback(port, kStepSeconds);
    const char byte = 'x';
    if (::send(fd, &byte, 1, MSG_NOSIGNAL) != 1) bench::fail("send");
    held.push_back(fd);
  }
  for (std::size_t i = first; i < held.size(); ++i) {
    char byte = 0;
    const ssize_t got = ::recv(held[i], &byte, 1, 0);
    if (got == 0) errno = ECONNRESET;
    if (got != 1) bench::fail("receive");
  }
}

void wait_for_release(std::uint32_t max_seconds) {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  if (::poll(&input, 1, static_cast<int>(max_seconds) * 1000) < 0 && errno != EINTR) {
    bench::fail("poll");
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string_view> args(argv + 1, argv + argc);
  if (args.size() != 3) bench::usage_error(kUsage);
  const auto port = static_cast<std::uint16_t>(bench::parse_number(args[0], 1, 65535, kUsage));
  const std::size_t wanted = bench::parse_number(args[1], 1, 60'000, kUsage);
  const std::uint32_t max_seconds = bench::parse_number(args[2], 1, 600, kUsage);

  std::vector<int> held;
  held.reserve(wanted);
  while (held.size() < wanted) open_batch(port, std::min(kBatch, wanted - held.size()), held);
  std::printf("held %zu\n", held.size());
  std::fflush(stdout);
  wait_for_release(max_seconds);
  return 0;  // the kernel closes the connections
}
