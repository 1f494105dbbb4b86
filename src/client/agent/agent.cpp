#include "client/agent/agent.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <optional>
#include <utility>

#include "client/agent/errc.hpp"
#include "client/agent/grpc_channel.hpp"
#include "client/agent/grpc_events.hpp"
#include "client/agent/rule_applier.hpp"
#include "client/agent/session.hpp"
#include "client/agent/tls_tunnel.hpp"
#include "common/async/backoff.hpp"
#include "common/async/within.hpp"
#include "common/log/logger.hpp"

namespace portunus::client::agent {

namespace asio = boost::asio;
using log::Event;

class Agent::Impl {
 public:
  Impl(asio::any_io_executor executor, RuleEngine& engine, Bundle bundle, AgentOptions options)
      : events_(executor),
        bundle_(std::move(bundle)),
        options_(std::move(options)),
        applier_(executor, engine, options_),
        backoff_(options_.reconnect_base, options_.reconnect_cap, options_.jitter_seed),
        stop_(executor, asio::steady_timer::time_point::max()) {}

  async::Task<End> run() {
    co_await asio::this_coro::throw_if_cancelled(false);
    std::optional<End> end;
    while (!end && !stopping_) {
      end = co_await attempt();
      if (!end && !stopping_) co_await pause(backoff_.next());
    }
    // Usually done within the session; not without one.
    co_await applier_.remove_all();
    co_await applier_.drained();
    co_return end.value_or(End::stopped);
  }

  void request_stop() {
    if (std::exchange(stopping_, true)) return;
    stop_.cancel();
    if (session_) session_->request_stop();
  }

 private:
  async::Task<> stop_requested() {
    if (!stopping_) co_await stop_.async_wait(async::kTuple);
  }

  async::Task<> pause(std::chrono::milliseconds wait) {
    using namespace asio::experimental::awaitable_operators;  // NOLINT
    co_await (async::sleep_for(wait) || stop_requested());
  }

  /// One connection, from the dial to the end of its session; the end of everything when there is
  /// no point in another.
  async::Task<std::optional<End>> attempt() {
    using namespace asio::experimental::awaitable_operators;  // NOLINT
    log::log(Event::control_connecting,
             {{"attempt", ++attempt_}, {"endpoint", bundle_.server.text()}});
    auto dialled = co_await (TlsTunnel::open(bundle_.server, bundle_.pin, options_.setup_budget) ||
                             stop_requested());
    if (stopping_ || dialled.index() != 0) co_return std::nullopt;
    auto& tunnel = std::get<0>(dialled);
    if (!tunnel) co_return not_connected(tunnel.error());
    log::log(Event::control_tls_pinned, {{"fingerprint_sha256", bundle_.pin}});
    const auto end = co_await serve(**tunnel);
    co_await (*tunnel)->close(options_.goodbye);
    co_return end;
  }

  std::optional<End> not_connected(const TlsTunnel::Failure& failure) {
    if (!failure.got.empty()) {
      log::log(Event::control_tls_pinned_mismatch,
               {{"expected", bundle_.pin}, {"got", failure.got}});
      return End::pin_mismatch;
    }
    log::log(Event::control_connect_failed, {{"error", failure.error.text()}});
    return std::nullopt;
  }

  async::Task<std::optional<End>> serve(TlsTunnel& tunnel) {
    auto socket = tunnel.start();
    if (!socket) {
      log::log(Event::control_connect_failed, {{"error", socket.error().text()}});
      co_return std::nullopt;
    }
    auto channel = make_channel(std::move(*socket), bundle_.server.text(),
                                {options_.ping_interval, options_.ping_timeout});
    session_.emplace(events_, applier_, options_);
    const Session::End end = co_await session_->run(std::move(channel), bundle_.token);
    session_.reset();
    co_return session_over(end);
  }

  /// Logs how a session ended, and decides whether there is another one.
  std::optional<End> session_over(const Session::End& end) {
    const bool established = applier_.established();
    const std::string error = end.error.empty() ? status_text(end.status) : end.error;
    if (established) {
      attempt_ = 0;
      backoff_.reset();
    }
    if (end.status.error_code() == grpc::StatusCode::UNAUTHENTICATED) {
      const std::string reason =
          end.status.error_message().empty() ? "unauthenticated" : end.status.error_message();
      log::log(Event::client_auth_failure, {{"reason", reason}});
      log::log(Event::control_terminal, {{"error", error}});
      return End::refused;
    }
    if (!established) {
      if (!stopping_) log::log(Event::control_connect_failed, {{"error", error}});
      return std::nullopt;
    }
    if (!end.status.ok() && !stopping_) {
      log::log(Event::control_stream_error, {{"error", error}});
    }
    log::log(Event::control_disconnected);
    return std::nullopt;
  }

  GrpcEvents events_;
  Bundle bundle_;
  AgentOptions options_;
  RuleApplier applier_;
  async::Backoff backoff_;
  std::optional<Session> session_;
  std::uint64_t attempt_ = 0;
  bool stopping_ = false;
  asio::steady_timer stop_;
};

Agent::Agent(asio::any_io_executor executor, RuleEngine& engine, Bundle bundle,
             AgentOptions options)
    : impl_(std::make_unique<Impl>(std::move(executor), engine, std::move(bundle),
                                   std::move(options))) {}
Agent::~Agent() = default;

async::Task<Agent::End> Agent::run() {
  return impl_->run();
}
void Agent::request_stop() {
  impl_->request_stop();
}

}  // namespace portunus::client::agent
