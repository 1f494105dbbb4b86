#include "bench/dataplane/fixed_work.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "common/async/gate.hpp"
#include "common/async/within.hpp"

namespace portunus::bench {
namespace {

namespace asio = boost::asio;
using dataplane::Forwarder;

constexpr std::uint16_t kFirstPort = 19'000;
constexpr int kPorts = 500;

async::Task<> run(Forwarder& engine, async::Task<bool> (*work)(Forwarder&), bool& good) {
  good = co_await work(engine);
  co_await engine.drain(std::chrono::seconds(10));
}

}  // namespace

void give_up(const char* what) {
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

std::uint16_t bind_loopback(const net::UniqueFd& fd) {
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) != 0) give_up("bind");
  ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

async::Task<std::uint16_t> activate(Forwarder& engine, model::Protocol protocol,
                                    std::uint16_t target_port) {
  model::RuleSpec rule;
  rule.id = RuleId{1};
  rule.protocol = protocol;
  rule.targets = {{.host = "127.0.0.1", .port = target_port}};
  for (int i = 0; i < kPorts; ++i) {
    rule.listen_port = static_cast<std::uint16_t>(kFirstPort + i);
    const auto activated = co_await engine.activate(rule);
    if (activated) co_return rule.listen_port;
  }
  give_up("no port is free");
}

async::Task<bool> all_counted(Forwarder& engine, std::uint64_t bytes_in, std::uint64_t bytes_out) {
  for (int i = 0; i < 1000; ++i) {
    const auto traffic = engine.counters();
    if (traffic.size() == 1 && traffic[0].bytes_in == bytes_in &&
        traffic[0].bytes_out == bytes_out) {
      co_return true;
    }
    co_await async::sleep_for(std::chrono::milliseconds(5));
  }
  std::fprintf(stderr, "the counters do not show what arrived\n");
  co_return false;
}

int run_fixed_work(async::Task<bool> (*work)(Forwarder&)) {
  asio::io_context context(1);
  Forwarder engine(context.get_executor(), {.workers = 1});
  async::Gate gate(context.get_executor());
  bool good = false;
  gate.spawn(run(engine, work, good));
  context.run();
  return good ? 0 : 1;
}

}  // namespace portunus::bench
