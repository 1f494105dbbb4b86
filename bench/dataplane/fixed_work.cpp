// Always the same work through the real engine, for counting instructions (callgrind): 50 small
// messages there and back on each of 200 connections, then 64 MiB in bulk, one worker. The main
// thread plays client and target in lock step, so that nothing depends on scheduling but the number
// of looks at an empty epoll. No arguments; exits 0 when every byte arrived and was counted.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "common/async/gate.hpp"
#include "common/async/within.hpp"
#include "common/net/unique_fd.hpp"
#include "dataplane/forwarder/forwarder.hpp"

namespace {

namespace asio = boost::asio;
using namespace portunus;
using net::UniqueFd;

constexpr int kConnections = 200;
constexpr int kMessages = 50;
constexpr std::size_t kMessageBytes = 64;
constexpr std::size_t kBulkBytes = std::size_t{64} << 20;
constexpr std::size_t kBulkStep = std::size_t{256} << 10;
constexpr std::uint16_t kFirstPort = 19'000;
constexpr int kPorts = 500;

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

UniqueFd tcp_socket() {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  if (!fd || ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) {
    give_up("socket");
  }
  return fd;
}

void send_all(const UniqueFd& fd, const std::string& bytes) {
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t n = ::send(fd.get(), bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
    if (n <= 0) give_up("send");
    done += static_cast<std::size_t>(n);
  }
}

void expect(const UniqueFd& fd, std::string_view bytes) {
  static std::array<char, kBulkStep> got;
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t n = ::recv(fd.get(), got.data() + done, bytes.size() - done, 0);
    if (n <= 0) give_up("recv");
    done += static_cast<std::size_t>(n);
  }
  if (std::memcmp(got.data(), bytes.data(), bytes.size()) != 0) give_up("other bytes than sent");
}

/// A listening target and the engine's rule that leads to it.
class Course {
 public:
  explicit Course(dataplane::Forwarder& engine) : engine_(engine), target_(tcp_socket()) {
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    if (::bind(target_.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(target_.get(), kConnections) != 0) {
      give_up("listen");
    }
    ::getsockname(target_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    target_port_ = ntohs(address.sin_port);
  }

  async::Task<> activate() {
    model::RuleSpec rule;
    rule.id = RuleId{1};
    rule.targets = {{.host = "127.0.0.1", .port = target_port_}};
    for (int i = 0; i < kPorts && port_ == 0; ++i) {
      rule.listen_port = static_cast<std::uint16_t>(kFirstPort + i);
      const auto activated = co_await engine_.activate(rule);
      if (activated) port_ = rule.listen_port;
    }
  }

  struct Connection {
    UniqueFd client;
    UniqueFd target;
  };
  Connection connect() {
    const sockaddr_in address = loopback(port_);
    UniqueFd client = tcp_socket();
    if (::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      give_up("connect");
    }
    UniqueFd target(::accept4(target_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!target) give_up("accept");
    return {std::move(client), std::move(target)};
  }

 private:
  dataplane::Forwarder& engine_;
  UniqueFd target_;
  std::uint16_t target_port_ = 0;
  std::uint16_t port_ = 0;
};

void run_small(Course& course) {
  const std::string question(kMessageBytes, 'q');
  const std::string answer(kMessageBytes, 'a');
  std::vector<Course::Connection> connections;
  for (int i = 0; i < kConnections; ++i) connections.push_back(course.connect());
  for (int i = 0; i < kMessages; ++i) {
    for (const auto& [client, target] : connections) {
      send_all(client, question);
      expect(target, question);
      send_all(target, answer);
      expect(client, answer);
    }
  }
}

void run_bulk(Course& course) {
  std::string step(kBulkStep, '\0');
  for (std::size_t i = 0; i < step.size(); ++i) step[i] = static_cast<char>(i * 31 >> 4);
  const auto [client, target] = course.connect();
  for (std::size_t sent = 0; sent < kBulkBytes; sent += kBulkStep) {
    send_all(client, step);
    expect(target, step);
  }
}

/// What is delivered may be counted a moment later.
async::Task<bool> all_counted(dataplane::Forwarder& engine) {
  constexpr std::uint64_t kSmall = std::uint64_t{kConnections} * kMessages * kMessageBytes;
  for (int i = 0; i < 1000; ++i) {
    const auto traffic = engine.counters();
    if (traffic.size() == 1 && traffic[0].bytes_in == kSmall + kBulkBytes &&
        traffic[0].bytes_out == kSmall) {
      co_return true;
    }
    co_await async::sleep_for(std::chrono::milliseconds(5));
  }
  std::fprintf(stderr, "the counters do not show what arrived\n");
  co_return false;
}

async::Task<> run(dataplane::Forwarder& engine, bool& good) {
  Course course(engine);
  co_await course.activate();
  run_small(course);
  run_bulk(course);
  good = co_await all_counted(engine);
  co_await engine.drain(std::chrono::seconds(10));
}

}  // namespace

int main() {
  asio::io_context context(1);
  dataplane::Forwarder engine(context.get_executor(), {.workers = 1});
  async::Gate gate(context.get_executor());
  bool good = false;
  gate.spawn(run(engine, good));
  context.run();
  return good ? 0 : 1;
}
