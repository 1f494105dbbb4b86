#include "client/app/app.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/this_coro.hpp>
#include <csignal>
#include <optional>
#include <utility>

#include "client/agent/agent.hpp"
#include "client/app/forwarder_engine.hpp"
#include "common/async/gate.hpp"
#include "common/async/last_signals.hpp"
#include "common/base/descriptor_limit.hpp"
#include "common/base/ulid.hpp"
#include "common/crypto/random.hpp"
#include "common/log/logger.hpp"

namespace portunus::client::app {
namespace {

namespace asio = boost::asio;
using log::Event;

/// The composition root; everything of it lives on the calling thread but the engine's workers.
class App {
 public:
  App(agent::Bundle bundle, AppOptions options)
      : signals_(io_, SIGINT, SIGTERM),
        forwarder_(io_.get_executor(), {.workers = 0, .splice = options.splice}),
        engine_(forwarder_),
        agent_(io_.get_executor(), engine_, std::move(bundle), std::move(options.agent)),
        gate_(io_.get_executor()) {}

  agent::Agent::End run() {
    gate_.spawn(live());
    gate_.spawn(obey_signals());
    io_.run();
    async::ignore_from_now_on({SIGINT, SIGTERM});
    return end_;
  }

 private:
  async::Task<> live() {
    end_ = co_await agent_.run();
    co_await forwarder_.drain(std::chrono::seconds(0));
    over_ = true;
    signals_.cancel();
  }

  async::Task<> obey_signals() {
    co_await asio::this_coro::throw_if_cancelled(false);
    if (over_) co_return;
    const auto [ec, number] = co_await signals_.async_wait(async::kTuple);
    if (ec) co_return;
    async::ignore_from_now_on({SIGINT, SIGTERM});
    log::log(Event::shutdown_signal, {{"signal", number == SIGINT ? "SIGINT" : "SIGTERM"}});
    agent_.request_stop();
  }

  asio::io_context io_{1};
  /// Before the slow parts, and gone after them, so that no stop signal finds its default action.
  asio::signal_set signals_;
  dataplane::Forwarder forwarder_;
  ForwarderEngine engine_;
  agent::Agent agent_;
  bool over_ = false;
  agent::Agent::End end_ = agent::Agent::End::stopped;
  async::Gate gate_;
};

async::Task<> enroll_into(std::string uri, std::string path,
                          std::optional<std::expected<void, agent::EnrollFailure>>& out) {
  out = co_await agent::enroll(std::move(uri), std::move(path), agent::AgentOptions{}.setup_budget);
}

}  // namespace

int run_agent(agent::Bundle bundle, AppOptions options) {
  (void)raise_descriptor_limit();
  options.agent.instance_id = make_ulid();
  options.agent.jitter_seed = crypto::random_u64();
  try {
    App app(std::move(bundle), std::move(options));
    if (app.run() != agent::Agent::End::stopped) return 1;
  } catch (const std::exception& error) {
    log::log(Event::client_runtime_failed, {{"error", error.what()}});
    return 1;
  }
  log::log(Event::client_stopped);
  return 0;
}

std::expected<void, agent::EnrollFailure> run_enroll(const std::string& uri,
                                                     const std::string& path) {
  asio::io_context io(1);
  async::Gate gate(io.get_executor());
  std::optional<std::expected<void, agent::EnrollFailure>> result;
  gate.spawn(enroll_into(uri, path, result));
  io.run();
  return std::move(*result);
}

}  // namespace portunus::client::app
