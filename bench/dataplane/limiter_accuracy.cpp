// How exactly a bandwidth cap of a rule holds and what it costs (RL-7): a table of cap by
// connections with the error against the cap and the CPU seconds of the engine alone. A child
// process sends and receives as fast as it can; what is delivered once the burst is spent counts.
//
//   dataplane_limiter_accuracy [seconds per cell, default 10]

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "common/async/gate.hpp"
#include "common/async/within.hpp"
#include "common/net/unique_fd.hpp"
#include "dataplane/forwarder/forwarder.hpp"

namespace {

namespace asio = boost::asio;
using namespace portunus;
using Steady = std::chrono::steady_clock;
using net::UniqueFd;

constexpr std::uint64_t kKiB = 1024;
// The last one is out of reach: that row shows what the path carries when the cap does not bind.
constexpr std::array<std::uint64_t, 5> kCaps{64 * kKiB, kKiB* kKiB, 100 * kKiB* kKiB,
                                             1024 * kKiB* kKiB, 4096 * kKiB* kKiB};
constexpr std::uint64_t kLongestStart = 1024 * kKiB * kKiB;
constexpr std::array<int, 2> kConnections{1, 64};
constexpr std::uint16_t kFirstPort = 19'600;

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  std::_Exit(1);
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

UniqueFd listening() {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = loopback(0);
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(fd.get(), 256) != 0) {
    give_up("listen");
  }
  return fd;
}

std::uint16_t port_of(const UniqueFd& fd) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

/// The child: connections through the rule whose port comes out of `orders`, until it is killed.
[[noreturn]] void make_load(const UniqueFd& target, int orders, int connections) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::uint16_t port = 0;
  if (::read(orders, &port, sizeof port) != sizeof port) std::_Exit(1);
  std::vector<pollfd> ends;
  for (int i = 0; i < connections; ++i) {
    const int down = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(port);
    if (::connect(down, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      give_up("connect");
    }
    ends.push_back({.fd = down, .events = POLLOUT, .revents = 0});
    ends.push_back(
        {.fd = ::accept(target.get(), nullptr, nullptr), .events = POLLIN, .revents = 0});
  }
  static std::array<char, 256 * kKiB> bytes{};
  while (::poll(ends.data(), ends.size(), -1) > 0) {
    for (const pollfd& end : ends) {
      if (end.revents & POLLIN) ::recv(end.fd, bytes.data(), bytes.size(), MSG_DONTWAIT);
      if (end.revents & POLLOUT) {
        ::send(end.fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      }
    }
  }
  std::_Exit(1);
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

async::Task<> measure(dataplane::Forwarder& engine, std::uint64_t cap, int connections,
                      std::uint16_t target, int orders, std::chrono::duration<double> window) {
  model::RuleSpec rule;
  rule.id = RuleId{1};
  rule.targets = {{.host = "127.0.0.1", .port = target}};
  rule.rate_limit = model::RateLimit{.bandwidth_in_bps = cap, .bandwidth_in_burst = cap / 10};
  for (rule.listen_port = kFirstPort;; ++rule.listen_port) {
    const auto active = co_await engine.activate(rule);
    if (active) break;
  }
  if (::write(orders, &rule.listen_port, sizeof rule.listen_port) < 0) give_up("write");
  const auto delivered = [&engine] {
    return static_cast<double>(engine.counters().front().bytes_in);
  };
  // Past the burst, and past the start of all connections.
  while (delivered() < static_cast<double>(std::min(cap, kLongestStart))) {
    co_await async::sleep_for(std::chrono::milliseconds(10));
  }
  const double before = delivered();
  const double cpu = cpu_seconds();
  const auto begin = Steady::now();
  co_await async::sleep_for(std::chrono::duration_cast<std::chrono::milliseconds>(window));
  const double bytes = delivered() - before;
  const double seconds = std::chrono::duration<double>(Steady::now() - begin).count();
  const double used = cpu_seconds() - cpu;
  std::printf("%10.0f %12d %14.0f %9.2f %9.3f\n", static_cast<double>(cap) / kKiB, connections,
              bytes / seconds / kKiB, 100 * (bytes / seconds / static_cast<double>(cap) - 1), used);
  std::fflush(stdout);
  co_await engine.drain(std::chrono::seconds(0));
}

}  // namespace

int main(int argc, char** argv) {
  const std::chrono::duration<double> window(argc > 1 ? std::atof(argv[1]) : 10.0);
  std::printf("%10s %12s %14s %9s %9s\n", "cap KiB/s", "connections", "delivered", "error %",
              "CPU s");
  for (const std::uint64_t cap : kCaps) {
    for (const int connections : kConnections) {
      const UniqueFd target = listening();
      int orders[2];
      if (::pipe(orders) != 0) give_up("pipe");
      const pid_t child = ::fork();
      if (child == 0) make_load(target, orders[0], connections);
      asio::io_context context(1);
      dataplane::Forwarder engine(context.get_executor(), {});
      async::Gate gate(context.get_executor());
      gate.spawn(measure(engine, cap, connections, port_of(target), orders[1], window));
      context.run();
      ::kill(child, SIGKILL);
      ::waitpid(child, nullptr, 0);
      ::close(orders[0]);
      ::close(orders[1]);
    }
  }
  return 0;
}
