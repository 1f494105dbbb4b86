// The DNS cache: a byte string drives questions, results and time; a plain record of what has
// happened to each name says which answers are allowed.

#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "dataplane/dns/dns_cache.hpp"
#include "tests/fuzz/fuzz_target.hpp"

namespace {

using namespace std::chrono_literals;
using namespace portunus::dataplane::dns;
using portunus::SteadyTime;
using Source = Answer::Source;

constexpr DnsCache::Limits kLimits{.entries = 6, .lookups = 3};

/// What has happened to one name, eviction aside.
struct History {
  std::optional<SteadyTime> fresh_until;
  std::optional<SteadyTime> failed_at;
  std::uint8_t address = 0;
};

class World {
 public:
  void ask(const std::string& name) {
    const auto waiter = DnsCache::WaiterId(++last_waiter_);
    waiting_[waiter] = {name, now_, 0};
    take(cache_.ask(name, waiter, now_));
    // Whoever has no answer waits for the one lookup of the name.
    FUZZ_CHECK(waiting_.contains(waiter) == is_running(name));
  }
  void finish(std::size_t index, LookupOutcome outcome) {
    if (running_.empty()) return;
    auto at = running_.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(index % running_.size()));
    const auto [id, name] = *at;
    running_.erase(at);
    record(name, outcome);
    take(cache_.finish(id, std::move(outcome), now_));
    FUZZ_CHECK(!is_running(name));
    FUZZ_CHECK(
        std::ranges::none_of(waiting_, [&](const auto& w) { return w.second.name == name; }));
  }
  /// A result that nobody wants any more changes nothing.
  void finish_abandoned(LookupOutcome outcome) {
    if (abandoned_.empty()) return;
    const auto actions = cache_.finish(*abandoned_.begin(), std::move(outcome), now_);
    FUZZ_CHECK(actions.deliver.empty() && actions.start.empty() && actions.abandon.empty());
  }
  void advance(SteadyTime::duration d) { now_ += d; }
  void tick() {
    take(cache_.tick(now_));
    const auto next = cache_.next_tick();
    FUZZ_CHECK(!next || *next > now_);
  }
  void abort() {
    auto actions = cache_.abort({Failure::other, "stopped"});
    for (const auto& delivery : actions.deliver) FUZZ_CHECK(waiting_.erase(delivery.waiter) == 1);
    FUZZ_CHECK(waiting_.empty());
    FUZZ_CHECK(actions.abandon.size() == running_.size());
    running_.clear();
  }
  void check() const {
    FUZZ_CHECK(cache_.entries() <= kLimits.entries);
    FUZZ_CHECK(cache_.lookups() <= kLimits.lookups);
    FUZZ_CHECK(cache_.lookups() == running_.size());
    FUZZ_CHECK(cache_.next_tick().has_value() == !running_.empty());
    std::set<std::string> names;
    for (const auto& [id, name] : running_) {
      FUZZ_CHECK(names.insert(name).second);
      FUZZ_CHECK(cache_.knows(name));  // never evicted
    }
    for (const auto& [id, waiter] : waiting_) FUZZ_CHECK(names.contains(waiter.name));
  }

 private:
  struct Waiter {
    std::string name;
    SteadyTime since;
    int takeovers = 0;
  };
  bool is_running(const std::string& name) const {
    return std::ranges::any_of(running_, [&](const auto& r) { return r.second == name; });
  }
  void record(const std::string& name, const LookupOutcome& outcome) {
    History& history = history_[name];
    if (outcome && !(outcome->v4.empty() && outcome->v6.empty())) {
      const auto ttl = std::chrono::seconds(outcome->ttl.value_or(0));
      history.fresh_until = now_ + std::clamp<std::chrono::seconds>(ttl, 5s, 300s);
      history.address = outcome->v4.at(0).bytes()[3];
      history.failed_at.reset();
    } else {
      history.failed_at = now_;
    }
  }

  void take(const DnsCache::Actions& actions) {
    const std::size_t running_before = running_.size();
    // A lookup that vanishes twice has failed.
    std::set<std::string> given_up;
    for (const auto id : actions.abandon) {
      const auto found = running_.find(id);
      FUZZ_CHECK(found != running_.end());
      given_up.insert(found->second);
      running_.erase(found);
      abandoned_.insert(id);
    }
    for (const auto& start : actions.start) {
      FUZZ_CHECK(!is_running(start.name));
      FUZZ_CHECK(running_.emplace(start.lookup, start.name).second);
      if (given_up.erase(start.name) == 1) count_takeover(start.name);
    }
    for (const auto& name : given_up) history_[name].failed_at = now_;
    for (const auto& delivery : actions.deliver) deliver(delivery, running_before);
  }

  void count_takeover(const std::string& name) {
    for (auto& [id, waiter] : waiting_) {
      if (waiter.name != name || waiter.since == now_) continue;
      ++waiter.takeovers;
      FUZZ_CHECK(waiter.takeovers <= 1);
    }
  }
  void deliver(const DnsCache::Delivery& delivery, std::size_t running_before) {
    const auto found = waiting_.find(delivery.waiter);
    FUZZ_CHECK(found != waiting_.end());  // exactly once, and only to those who asked
    const std::string name = found->second.name;
    waiting_.erase(found);
    History& history = history_[name];
    if (delivery.reply) return check_answer(*delivery.reply, history);
    if (delivery.reply.error().failure == Failure::resolver_overloaded) {
      FUZZ_CHECK(running_before >= kLimits.lookups);
      return;
    }
    // An error is the last one, and not older than three seconds.
    FUZZ_CHECK(history.failed_at && now_ < *history.failed_at + 3s);
  }

  void check_answer(const Answer& answer, History& history) {
    FUZZ_CHECK(answer.addresses && answer.addresses->size() > 0);
    FUZZ_CHECK(history.fresh_until && answer.addresses->fresh_until == *history.fresh_until);
    FUZZ_CHECK(answer.addresses->v4.at(0).bytes()[3] == history.address);
    if (answer.source != Source::stale) {
      FUZZ_CHECK(now_ < *history.fresh_until);
      return;
    }
    FUZZ_CHECK(now_ >= *history.fresh_until);
    // Refused for want of a permit counts as the failed refresh.
    if (!history.failed_at) history.failed_at = now_;
    FUZZ_CHECK(now_ < *history.failed_at + 30s);
  }

  DnsCache cache_{kLimits};
  SteadyTime now_{1h};
  std::map<DnsCache::WaiterId, Waiter> waiting_;
  std::map<DnsCache::LookupId, std::string> running_;
  std::set<DnsCache::LookupId> abandoned_;
  std::map<std::string, History> history_;
  std::uint64_t last_waiter_ = 0;
};

LookupOutcome consume_outcome(FuzzedDataProvider& data) {
  switch (data.ConsumeIntegralInRange<unsigned>(0, 4)) {
    case 0:
      return std::unexpected(LookupError{Failure::servfail, "no"});
    case 1:
      return Resolved{};  // an empty answer
    case 2:
      return std::unexpected(LookupError{Failure::other, "no descriptor", true});
    default:
      break;
  }
  const auto number = data.ConsumeIntegralInRange<unsigned>(1, 255);
  Resolved out{{*portunus::net::IpAddress::parse("10.0.0." + std::to_string(number))}, {}, {}};
  if (data.ConsumeBool()) out.ttl = data.ConsumeIntegral<std::uint32_t>();
  return out;
}

}  // namespace

PORTUNUS_FUZZ_TARGET(dns_cache)(portunus::fuzz::Input input) {
  FuzzedDataProvider data(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
  World world;
  while (data.remaining_bytes() > 0) {
    switch (data.ConsumeIntegralInRange<unsigned>(0, 9)) {
      case 0:
        world.tick();
        break;
      case 1:
        world.advance(std::chrono::milliseconds(data.ConsumeIntegral<std::uint16_t>()));
        break;
      case 2:
        world.advance(std::chrono::seconds(data.ConsumeIntegralInRange<unsigned>(1, 5)));
        break;
      case 3:
        world.finish_abandoned(consume_outcome(data));
        break;
      case 4:
        if (data.ConsumeIntegral<std::uint8_t>() == 0) world.abort();
        break;
      case 5:
      case 6: {
        const auto index = data.ConsumeIntegral<std::uint8_t>();
        world.finish(index, consume_outcome(data));
        break;
      }
      default:
        world.ask("n" + std::to_string(data.ConsumeIntegralInRange<unsigned>(0, 11)));
        break;
    }
    world.check();
  }
}
