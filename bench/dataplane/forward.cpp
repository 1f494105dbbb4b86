// The engine alone, for measuring it beside other forwarders:
//
//   forward <listen port> <ip:port> [workers] [splice: 1|0] [tcp|udp] [UDP offload: 1|0]

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>
#include <string>

#include "common/async/gate.hpp"
#include "common/log/logger.hpp"
#include "common/net/endpoint.hpp"
#include "dataplane/forwarder/forwarder.hpp"

namespace {

namespace asio = boost::asio;
using namespace portunus;

async::Task<> forward(dataplane::Forwarder& engine, model::RuleSpec rule, int& status) {
  const auto activated = co_await engine.activate(std::move(rule), {.max_flows = 65'535});
  if (!activated) {
    std::fprintf(stderr, "forward: %s\n", activated.error().c_str());
    status = 1;
    co_return;
  }
  asio::signal_set signals(co_await asio::this_coro::executor, SIGINT, SIGTERM);
  co_await signals.async_wait(async::kTuple);
  for (const auto& rule_traffic : engine.counters()) {
    std::printf("in %llu out %llu\n", static_cast<unsigned long long>(rule_traffic.bytes_in),
                static_cast<unsigned long long>(rule_traffic.bytes_out));
  }
  co_await engine.drain(std::chrono::seconds(0));
}

}  // namespace

int main(int argc, char** argv) {
  const auto listen = argc > 2 ? net::parse_port(argv[1]) : std::nullopt;
  const auto target = argc > 2 ? net::split_host_port(argv[2]) : std::nullopt;
  const auto port = target ? net::parse_port(target->port) : std::nullopt;
  if (!listen || !port) {
    std::fprintf(
        stderr,
        "usage: forward <listen port> <ip:port> [workers] [splice 1|0] [tcp|udp] [offload 1|0]\n");
    return 2;
  }
  dataplane::ForwarderOptions options;
  if (argc > 3) options.workers = static_cast<unsigned>(std::atoi(argv[3]));
  if (argc > 4) options.splice = std::string(argv[4]) != "0";
  if (argc > 6) options.udp_offload = std::string(argv[6]) != "0";
  log::start({.format = log::Format::compact, .filter = "warn"});
  int status = 0;
  {
    asio::io_context context(1);
    dataplane::Forwarder engine(context.get_executor(), options);
    async::Gate gate(context.get_executor());
    model::RuleSpec rule;
    rule.id = RuleId{1};
    if (argc > 5 && std::string(argv[5]) == "udp") rule.protocol = model::Protocol::udp;
    rule.listen_port = *listen;
    rule.targets = {{.host = std::string(target->host), .port = *port}};
    gate.spawn(forward(engine, std::move(rule), status));
    context.run();
  }
  log::stop();
  return status;
}
