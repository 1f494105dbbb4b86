#include "dataplane/forwarder/forwarder.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <mutex>
#include <optional>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "common/async/io_threads.hpp"
#include "dataplane/forwarder/active_rule.hpp"
#include "dataplane/tcp/listen_sockets.hpp"
#include "dataplane/tcp/pipe_pool.hpp"
#include "dataplane/tcp/tcp_rule.hpp"
#include "dataplane/tcp/worker.hpp"

namespace portunus::dataplane {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;
using Reason = std::optional<std::string_view>;

/// What of the rule this engine does not do, as a failure reason of data-plane section 2.
Reason refusal(const model::RuleSpec& spec) {
  if (spec.protocol != model::Protocol::tcp) return "unsupported_protocol";
  if (spec.listen_port == 0) return "range_invalid";
  if (spec.target.port == 0) return "target_invalid_port:0";
  if (!spec.target.literal()) return "invalid_target_host";
  return std::nullopt;
}

SteadyTime deadline_after(Clock::duration grace) {
  const SteadyTime now = Clock::now();
  return grace > SteadyTime::max() - now ? SteadyTime::max() : now + grace;
}

}  // namespace

class Forwarder::Impl {
 public:
  Impl(asio::any_io_executor owner, ForwarderOptions options);
  ~Impl();

  async::Task<std::expected<void, std::string>> activate(model::RuleSpec spec);
  async::Task<model::RuleTraffic> remove(RuleId id, Clock::duration grace);
  bool live(RuleId id) const { return live_.contains(id); }
  std::vector<model::RuleTraffic> counters() const;
  async::Task<> drain(Clock::duration grace);

 private:
  using Rule = std::shared_ptr<ActiveRule>;
  using Started = std::expected<Rule, std::string_view>;

  async::Task<Started> start_rule(const model::RuleSpec& spec);
  async::Task<bool> add_to_workers(Rule rule, std::vector<tcp::ListenPair> sockets);
  async::Task<> wait_port_free(std::uint16_t port);
  static async::Task<model::RuleTraffic> wait_gone(RuleId id, Rule rule);
  void begin_removal(const Rule& rule, Clock::duration grace);
  void close_listeners(const Rule& rule);
  void cancel_sessions(const Rule& rule);
  void unlist(RuleId id);
  void forget_gone();
  void stop_workers();

  const asio::any_io_executor owner_;
  const bool splice_;
  tcp::PipeBudget pipe_budget_;
  async::IoThreads threads_;
  std::vector<std::unique_ptr<tcp::Worker>> workers_;
  /// Changed by the owner alone, who therefore reads it freely; the mutex is for counters(). No
  /// packet ever meets it.
  std::unordered_map<RuleId, Rule> live_;
  mutable std::mutex live_mutex_;
  std::vector<Rule> leaving_;
  bool stopped_ = false;
};

Forwarder::Impl::Impl(asio::any_io_executor owner, ForwarderOptions options)
    : owner_(std::move(owner)),
      splice_(options.splice),
      pipe_budget_(tcp::PipeBudget::from_host()),
      threads_("dataplane",
               options.workers > 0 ? options.workers : async::IoThreads::core_count()) {
  for (unsigned i = 0; i < threads_.size(); ++i) {
    workers_.push_back(std::make_unique<tcp::Worker>(threads_.context(i), i, pipe_budget_));
    const auto started = workers_.back()->start();
    if (!started) throw std::system_error(started.error().code, started.error().detail);
  }
  threads_.start();
}

Forwarder::Impl::~Impl() {
  for (const auto& [id, rule] : live_) rule->detach();
  for (const Rule& rule : leaving_) rule->detach();
  stop_workers();
}

void Forwarder::Impl::stop_workers() {
  if (stopped_) return;
  stopped_ = true;
  for (const auto& worker : workers_) {
    asio::post(worker->context, [w = worker.get()] { w->stop(); });
  }
  threads_.join();
}

async::Task<std::expected<void, std::string>> Forwarder::Impl::activate(model::RuleSpec spec) {
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  const Started started = co_await start_rule(spec);
  co_await asio::this_coro::throw_if_cancelled(throws);
  if (!started) {
    tcp::TcpRule::log_failed(spec, started.error());
    co_return std::unexpected(std::string(started.error()));
  }
  (*started)->rule()->log_activated();
  co_return std::expected<void, std::string>();
}

async::Task<Forwarder::Impl::Started> Forwarder::Impl::start_rule(const model::RuleSpec& spec) {
  if (const Reason reason = refusal(spec)) co_return std::unexpected(*reason);
  if (live(spec.id)) co_return std::unexpected("duplicate_rule_id");
  if (stopped_) co_return std::unexpected("bind_failed");
  forget_gone();
  co_await wait_port_free(spec.listen_port);
  const auto count = static_cast<unsigned>(workers_.size());
  auto sockets = tcp::bind_port(spec.listen_port, count);
  if (!sockets) co_return std::unexpected(sockets.error());
  auto shared = std::make_shared<tcp::TcpRule>(spec, *spec.target.literal(), count, splice_);
  auto rule = std::make_shared<ActiveRule>(owner_, std::move(shared), count);
  const bool served = co_await add_to_workers(rule, std::move(*sockets));
  if (!served) {
    close_listeners(rule);
    cancel_sessions(rule);
    co_await rule->wait_gone();
    co_return std::unexpected("bind_failed");
  }
  const std::lock_guard lock(live_mutex_);
  live_.emplace(spec.id, rule);
  co_return rule;
}

async::Task<bool> Forwarder::Impl::add_to_workers(Rule rule, std::vector<tcp::ListenPair> sockets) {
  struct Answers {
    explicit Answers(const asio::any_io_executor& owner) : all(owner, SteadyTime::max()) {}
    unsigned missing = 0;
    bool served = true;
    asio::steady_timer all;
  };
  const auto answers = std::make_shared<Answers>(owner_);
  answers->missing = static_cast<unsigned>(workers_.size());
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    auto add = [worker = workers_[i].get(), owner = owner_, rule, answers,
                pair = std::move(sockets[i])]() mutable {
      auto on_gone = [owner, rule] { asio::post(owner, [rule] { rule->on_worker_done(); }); };
      const bool ok = worker->add(rule->rule(), std::move(pair), std::move(on_gone));
      asio::post(owner, [answers, ok] {
        if (!ok) answers->served = false;
        if (--answers->missing == 0) answers->all.cancel();
      });
    };
    asio::post(workers_[i]->context, std::move(add));
  }
  while (answers->missing > 0) co_await answers->all.async_wait(async::kTuple);
  co_return answers->served;
}

async::Task<> Forwarder::Impl::wait_port_free(std::uint16_t port) {
  const std::vector<Rule> leaving = leaving_;
  for (const Rule& rule : leaving) {
    if (rule->rule()->listen_port() == port) co_await rule->wait_port_free();
  }
}

async::Task<model::RuleTraffic> Forwarder::Impl::remove(RuleId id, Clock::duration grace) {
  const auto it = live_.find(id);
  if (it == live_.end()) return wait_gone(id, nullptr);
  const Rule rule = it->second;
  unlist(id);
  begin_removal(rule, grace);
  return wait_gone(id, rule);
}

async::Task<model::RuleTraffic> Forwarder::Impl::wait_gone(RuleId id, Rule rule) {
  if (!rule) co_return model::RuleTraffic{id};
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  co_await rule->wait_gone();
  co_await asio::this_coro::throw_if_cancelled(throws);
  co_return rule->rule()->counters().totals(id);
}

void Forwarder::Impl::unlist(RuleId id) {
  const std::lock_guard lock(live_mutex_);
  live_.erase(id);
}

void Forwarder::Impl::begin_removal(const Rule& rule, Clock::duration grace) {
  forget_gone();
  leaving_.push_back(rule);
  rule->begin_removal(deadline_after(grace), [this, raw = rule.get()] {
    for (const Rule& leaving : leaving_) {
      if (leaving.get() == raw) return cancel_sessions(leaving);
    }
  });
  close_listeners(rule);
}

void Forwarder::Impl::close_listeners(const Rule& rule) {
  for (const auto& worker : workers_) {
    asio::post(worker->context, [w = worker.get(), owner = owner_, rule] {
      w->close_listeners(*rule->rule());
      asio::post(owner, [rule] { rule->on_listeners_closed(); });
    });
  }
}

void Forwarder::Impl::cancel_sessions(const Rule& rule) {
  for (const auto& worker : workers_) {
    asio::post(worker->context, [w = worker.get(), rule] { w->cancel_sessions(*rule->rule()); });
  }
}

void Forwarder::Impl::forget_gone() {
  std::erase_if(leaving_, [](const Rule& rule) { return rule->gone(); });
}

std::vector<model::RuleTraffic> Forwarder::Impl::counters() const {
  std::vector<model::RuleTraffic> all;
  const std::lock_guard lock(live_mutex_);
  all.reserve(live_.size());
  for (const auto& [id, rule] : live_) all.push_back(rule->rule()->counters().totals(id));
  return all;
}

async::Task<> Forwarder::Impl::drain(Clock::duration grace) {
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  const SteadyTime deadline = deadline_after(grace);
  for (const Rule& rule : leaving_) rule->hurry(deadline);
  while (!live_.empty()) {
    const Rule rule = live_.begin()->second;
    unlist(live_.begin()->first);
    begin_removal(rule, grace);
  }
  const std::vector<Rule> leaving = leaving_;
  for (const Rule& rule : leaving) co_await rule->wait_gone();
  stop_workers();
  co_await asio::this_coro::throw_if_cancelled(throws);
}

Forwarder::Forwarder(asio::any_io_executor owner, ForwarderOptions options)
    : impl_(std::make_unique<Impl>(std::move(owner), options)) {}

Forwarder::~Forwarder() = default;

async::Task<std::expected<void, std::string>> Forwarder::activate(model::RuleSpec rule) {
  return impl_->activate(std::move(rule));
}

async::Task<model::RuleTraffic> Forwarder::remove(RuleId id, Clock::duration grace) {
  return impl_->remove(id, grace);
}

bool Forwarder::live(RuleId id) const {
  return impl_->live(id);
}

std::vector<model::RuleTraffic> Forwarder::counters() const {
  return impl_->counters();
}

async::Task<> Forwarder::drain(Clock::duration grace) {
  return impl_->drain(grace);
}

}  // namespace portunus::dataplane
