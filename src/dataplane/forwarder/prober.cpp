#include "dataplane/forwarder/prober.hpp"

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>
#include <vector>

#include "common/log/logger.hpp"
#include "common/net/host_error.hpp"

namespace portunus::dataplane {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;
using Tcp = asio::ip::tcp;

Tcp::endpoint to_asio(const net::Endpoint& where) {
  sockaddr_storage storage;
  const socklen_t size = where.to_sockaddr(storage);
  Tcp::endpoint out;
  std::memcpy(out.data(), &storage, size);
  out.resize(size);
  return out;
}

}  // namespace

/// One rule that is probed. What its task waits for wakes it up through the timer.
struct Prober::Watch {
  Watch(std::shared_ptr<rules::LiveRule> what, asio::io_context& home)
      : rule(std::move(what)), wake(home) {}

  void stop() {
    stopped = true;
    wake.cancel();
  }
  /// Until `done`, which a handler sets before it cancels the timer, or until that time.
  async::Task<> wait(const bool& done, SteadyTime until) {
    while (!done && !stopped && Clock::now() < until) {
      wake.expires_at(until);
      co_await wake.async_wait(async::kTuple);
    }
  }

  const std::shared_ptr<rules::LiveRule> rule;
  asio::steady_timer wake;
  bool stopped = false;
};

Prober::Prober(asio::io_context& home, dns::Resolver& resolver, ProbeTimes times)
    : home_(home), resolver_(resolver), times_(times), gate_(home.get_executor()) {}

Prober::~Prober() = default;

void Prober::start(const std::shared_ptr<rules::LiveRule>& rule) {
  if (!rule->multi_target()) return;
  const auto watch = std::make_shared<Watch>(rule, home_);
  watches_.emplace(rule.get(), watch);
  gate_.spawn(run(watch));
}

void Prober::stop(const rules::LiveRule& rule) {
  const auto it = watches_.find(&rule);
  if (it == watches_.end()) return;
  it->second->stop();
  watches_.erase(it);
}

void Prober::stop() {
  for (const auto& [rule, watch] : watches_) watch->stop();
  watches_.clear();
  gate_.close();
}

async::Task<> Prober::run(Shared watch) {
  const auto asked = watch->rule->spec().health_check_interval_secs;
  const Clock::duration interval =
      asked ? Clock::duration(std::chrono::seconds(*asked)) : Clock::duration(times_.recovery);
  const std::size_t rows = watch->rule->spec().targets.size();
  SteadyTime due = Clock::now();
  for (std::size_t tick = 0; !watch->stopped; ++tick) {
    for (std::size_t row = 0; row < rows && !watch->stopped; ++row) {
      const bool failed = watch->rule->health()[row].health() == failover::Health::failed;
      if (asked ? row == tick % rows : failed) co_await probe(watch, row);
    }
    // Ticks that passed meanwhile are not made up.
    do due += interval;
    while (due <= Clock::now());
    co_await watch->wait(watch->stopped, due);
  }
}

async::Task<> Prober::probe(Shared watch, std::size_t row) {
  const Outcome outcome = co_await attempt(watch, row);
  if (!watch->stopped) book(*watch, row, outcome);
}

async::Task<Prober::Outcome> Prober::attempt(Shared watch, std::size_t row) {
  const model::RuleSpec& spec = watch->rule->spec();
  const model::Target& target = spec.targets[row];
  const SteadyTime deadline = Clock::now() + times_.probe;
  std::vector<net::IpAddress> addresses;
  if (const auto literal = target.literal()) {
    addresses.push_back(literal->address());
  } else {
    const auto reply = co_await resolve(watch, row, deadline);
    if (Clock::now() >= deadline) co_return Outcome{Outcome::Result::timeout};
    if (!reply) {
      const auto reason = dns::failure_name(reply.error().failure);
      co_return Outcome{Outcome::Result::failed, std::string(reason) + ": " + reply.error().detail,
                        reply.error().of_this_host};
    }
    addresses = dns::dial_order(*reply->addresses, spec.prefer_ipv6.value_or(false));
  }
  Outcome outcome{Outcome::Result::failed, "no addresses"};
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const bool last = i + 1 == addresses.size();
    const SteadyTime until = last ? deadline : std::min(deadline, Clock::now() + times_.address);
    const int failure = co_await connect(watch, {addresses[i], target.port}, until);
    if (failure == 0) co_return Outcome{Outcome::Result::ok};
    if (watch->stopped || Clock::now() >= deadline) co_return Outcome{Outcome::Result::timeout};
    outcome.error = std::system_category().message(failure);
    outcome.of_this_host = net::is_of_this_host(failure);
  }
  co_return outcome;
}

async::Task<dns::Resolver::Reply> Prober::resolve(Shared watch, std::size_t row, SteadyTime until) {
  struct Question {
    bool answered = false;
    dns::Resolver::Reply reply =
        std::unexpected(dns::LookupError{dns::Failure::other, "no answer"});
  };
  const auto question = std::make_shared<Question>();
  auto on_answer = [watch, question](dns::Resolver::Reply reply) {
    question->reply = std::move(reply);
    question->answered = true;
    watch->wake.cancel();
  };
  resolver_.resolve(watch->rule->spec().targets[row].host, home_.get_executor(),
                    std::move(on_answer));
  co_await watch->wait(question->answered, until);
  co_return question->reply;
}

async::Task<int> Prober::connect(Shared watch, net::Endpoint where, SteadyTime until) {
  struct Attempt {
    explicit Attempt(const asio::any_io_executor& executor) : socket(executor) {}
    Tcp::socket socket;
    bool ended = false;
    int error = ETIMEDOUT;
  };
  const auto attempt = std::make_shared<Attempt>(watch->wake.get_executor());
  const Tcp::endpoint endpoint = to_asio(where);
  boost::system::error_code failure;
  attempt->socket.open(endpoint.protocol(), failure);
  if (failure) co_return failure.value();
  attempt->socket.async_connect(endpoint, [watch, attempt](const boost::system::error_code& error) {
    attempt->error = error.value();
    attempt->ended = true;
    watch->wake.cancel();
  });
  co_await watch->wait(attempt->ended, until);
  const int error = attempt->ended ? attempt->error : ETIMEDOUT;
  attempt->socket.close(failure);
  co_return error;
}

void Prober::book(Watch& watch, std::size_t row, const Outcome& outcome) {
  rules::LiveRule& rule = *watch.rule;
  const model::Target& target = rule.spec().targets[row];
  const log::Field index{"target_index", row};
  const log::Field host{"target_host", target.host};
  const log::Field port{"target_port", target.port};
  switch (outcome.result) {
    case Outcome::Result::ok:
      rule.log(log::Event::target_probe_ok, {index, host, port});
      return rule.record_success(row, Clock::now());
    case Outcome::Result::failed:
      rule.log(log::Event::target_probe_failed, {index, host, port, {"error", outcome.error}});
      if (!outcome.of_this_host) rule.record_failure(row, Clock::now());
      return;
    case Outcome::Result::timeout:
      const auto budget = std::chrono::duration_cast<std::chrono::seconds>(times_.probe);
      rule.log(log::Event::target_probe_timeout,
               {index, host, port, {"timeout_secs", budget.count()}});
      return rule.record_failure(row, Clock::now());
  }
}

}  // namespace portunus::dataplane
