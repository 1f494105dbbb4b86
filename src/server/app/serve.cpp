#include "server/app/serve.hpp"

#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdlib>
#include <utility>

#include "common/async/last_signals.hpp"
#include "common/base/version.hpp"
#include "common/log/logger.hpp"

namespace portunus::server::app {
namespace {

namespace asio = boost::asio;

/// From "listening" to "stopped". Later stop signals change nothing.
async::Task<> run(Server& server, asio::signal_set& signals, std::chrono::seconds drain_timeout) {
  const Server::Listening& at = server.listening();
  log::log(log::Event::server_listening, {{"grpc", at.grpc.text()},
                                          {"operator_http", at.operator_http.text()},
                                          {"metrics", at.metrics.text()}});
  int signal = 0;
  while (true) {
    const auto [ec, number] = co_await signals.async_wait(async::kTuple);
    signal = number;
    if (ec || number != SIGHUP) break;
    co_await server.report_store();
  }
  async::ignore_from_now_on({SIGINT, SIGTERM, SIGHUP});
  log::log(log::Event::shutdown_signal, {{"signal", signal == SIGINT ? "SIGINT" : "SIGTERM"}});
  log::log(log::Event::server_draining);
  const bool clean = co_await server.stop(drain_timeout);
  log::log(log::Event::server_stopped);
  if (!clean) {
    // Something still holds what the destructors would free. The store is closed; nothing is lost.
    log::stop();
    std::_Exit(0);
  }
}

void rethrow(std::exception_ptr error) {
  if (error) std::rethrow_exception(error);
}

}  // namespace

Started<void> serve(ServerOptions options) {
  const std::chrono::seconds drain_timeout = options.config.shutdown_drain_timeout;
  asio::io_context domain(1);
  // Before the first slow step, so that a signal during start-up ends it in an orderly way too.
  asio::signal_set signals(domain, SIGINT, SIGTERM, SIGHUP);
  auto server = Server::start(domain, std::move(options), SystemClock::instance());
  if (!server) return std::unexpected(std::move(server.error()));
  asio::co_spawn(domain, run(**server, signals, drain_timeout), rethrow);
  domain.run();
  return {};
}

}  // namespace portunus::server::app
