#include "standalone/daemon.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <csignal>
#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/async/gate.hpp"
#include "common/async/last_signals.hpp"
#include "common/async/task.hpp"
#include "common/base/clock.hpp"
#include "common/base/version.hpp"
#include "common/log/logger.hpp"
#include "dataplane/forwarder/forwarder.hpp"
#include "standalone/process_usage.hpp"
#include "standalone/stats_messages.hpp"
#include "standalone/stats_socket.hpp"

namespace portunus::standalone {
namespace {

namespace asio = boost::asio;
using log::Event;

constexpr std::chrono::seconds kReportPeriod(60);

struct BindFailure {
  std::string name;
  RuleId id;
  std::string reason;
};

void print_bind_failures(const std::vector<BindFailure>& failures) {
  std::string text = fmt::format("error: {} rule(s) failed to bind:\n", failures.size());
  for (const BindFailure& failure : failures) {
    text += fmt::format("  - {} ({}): {}\n", failure.name, failure.id.value, failure.reason);
  }
  std::fputs(text.c_str(), stderr);
}

/// The composition root: everything of it lives on the calling thread but the engine's workers.
class Daemon {
 public:
  Daemon(StandaloneConfig config, bool splice)
      : config_(std::move(config)),
        started_at_(SystemClock::instance().now()),
        started_(SystemClock::instance().steady_now()),
        signals_(io_, SIGINT, SIGTERM, SIGHUP),
        forwarder_(io_.get_executor(), {.splice = splice, .death_level = log::Level::error}),
        next_report_(io_),
        stats_(
            io_.get_executor(),
            {[this] { return hello_line({started_at_, config_.stats.refresh_ms}, config_.rules); },
             [this](std::uint64_t sequence) { return snapshot(sequence); }},
            std::chrono::milliseconds(config_.stats.refresh_ms)),
        gate_(io_.get_executor()) {
    forwarder_.on_rule_failed([this](const model::RuleTraffic& last, std::string reason) {
      fail(fmt::format("rule {}: {}", last.rule.value, reason));
    });
  }

  int run() {
    gate_.spawn(live());
    gate_.spawn(obey_signals());
    io_.run();
    async::ignore_from_now_on({SIGINT, SIGTERM, SIGHUP});
    if (!failures_.empty()) {
      log::flush();  // the list is the last word, and in one piece
      print_bind_failures(failures_);
    }
    return exit_code_;
  }

 private:
  async::Task<> live() {
    co_await activate_all();
    if (!failures_.empty()) {
      exit_code_ = 1;
      co_await forwarder_.drain(std::chrono::seconds(0));
    } else {
      if (config_.stats.enabled) stats_.open(config_.stats.socket_path);
      co_await report_until_stopped();
      stats_.request_stop();
      co_await forwarder_.drain(config_.drain);
      co_await stats_.drain();
      if (exit_code_ == 0) log::log(Event::standalone_stopped);
    }
    over_ = true;
    boost::system::error_code ignored;
    signals_.cancel(ignored);
  }

  async::Task<> activate_all() {
    for (const StandaloneRule& rule : config_.rules) {
      const auto done = co_await forwarder_.activate(rule.spec, rule.udp);
      if (!done) failures_.push_back({rule.spec.label, rule.spec.id, done.error()});
    }
  }

  async::Task<> report_until_stopped() {
    next_report_.expires_at(SystemClock::instance().steady_now());
    while (!stopping_) {
      log_traffic();
      next_report_.expires_at(next_report_.expiry() + kReportPeriod);
      co_await next_report_.async_wait(async::kTuple);  // stop() ends it early
    }
  }

  void log_traffic() const {
    std::unordered_map<RuleId, model::RuleTraffic> numbers;
    for (model::RuleTraffic& entry : forwarder_.counters()) {
      numbers.emplace(entry.rule, std::move(entry));
    }
    for (const StandaloneRule& rule : config_.rules) {
      const model::RuleTraffic& traffic = numbers[rule.spec.id];
      log::log(Event::standalone_stats, {{"rule", std::to_string(rule.spec.id.value)},
                                         {"rule_name", rule.spec.label},
                                         {"in_bytes", traffic.bytes_in},
                                         {"out_bytes", traffic.bytes_out},
                                         {"active_conns", traffic.active_connections},
                                         {"datagrams_in", traffic.datagrams_in},
                                         {"datagrams_out", traffic.datagrams_out},
                                         {"active_flows", traffic.active_flows}});
    }
  }

  std::string snapshot(std::uint64_t sequence) const {
    const auto traffic = forwarder_.counters();
    const auto local = forwarder_.local_counters();
    const auto uptime = SystemClock::instance().steady_now() - started_;
    return snapshot_line({.sequence = sequence,
                          .now = SystemClock::instance().now(),
                          .uptime = std::chrono::floor<std::chrono::milliseconds>(uptime),
                          .process = process_usage(),
                          .traffic = traffic,
                          .local = local},
                         config_.rules);
  }

  async::Task<> obey_signals() {
    co_await asio::this_coro::throw_if_cancelled(false);
    // It may all be over before this begins: a rule whose port is taken waits for nothing.
    while (!over_) {
      const auto [ec, number] = co_await signals_.async_wait(async::kTuple);
      if (ec) co_return;
      if (number == SIGHUP) {
        log::log(Event::standalone_sighup_ignored);
      } else {
        async::ignore_from_now_on({SIGINT, SIGTERM, SIGHUP});
        if (stopping_) co_return;
        log::log(Event::shutdown_signal, {{"signal", number == SIGINT ? "SIGINT" : "SIGTERM"}});
        stop();
        co_return;
      }
    }
  }

  void fail(const std::string& error) {
    exit_code_ = 1;
    log::log(Event::standalone_fatal_shutdown, {{"error", error}});
    stop();
  }

  void stop() {
    stopping_ = true;
    next_report_.cancel();
  }

  const StandaloneConfig config_;
  const SystemTime started_at_;
  const SteadyTime started_;
  asio::io_context io_{1};
  /// Before the slow parts, and gone after them, so that no stop signal finds its default action.
  asio::signal_set signals_;
  dataplane::Forwarder forwarder_;
  asio::steady_timer next_report_;
  StatsSocket stats_;
  std::vector<BindFailure> failures_;
  bool stopping_ = false;
  bool over_ = false;
  int exit_code_ = 0;
  async::Gate gate_;
};

}  // namespace

int run_daemon(StandaloneConfig config, bool splice) {
  log::log(Event::process_start, {{"binary", "portunus-standalone"},
                                  {"version", kVersion},
                                  {"pid", static_cast<std::int64_t>(::getpid())}});
  claim_descriptors();
  try {
    return Daemon(std::move(config), splice).run();
  } catch (const std::exception& error) {
    log::log(Event::standalone_fatal_shutdown, {{"error", error.what()}});
    return 1;
  }
}

}  // namespace portunus::standalone
