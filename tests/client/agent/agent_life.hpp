#pragma once

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "client/agent/agent.hpp"
#include "client/agent/rule_engine.hpp"
#include "common/async/within.hpp"
#include "tests/client/agent/dialogue.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/fake_control_server.hpp"

namespace portunus::client::agent {

/// An engine that forwards nothing: it remembers what it was told, and counts what it is told.
/// Coroutines on the agent's thread, everything else from the test's.
class FakeEngine final : public RuleEngine {
 public:
  void on_rule_failed(OnRuleFailed notify) override {
    const std::lock_guard lock(mutex_);
    notify_ = std::move(notify);
  }

  async::Task<std::expected<void, std::string>> activate(model::RuleSpec rule,
                                                         model::UdpSettings udp) override {
    const std::lock_guard lock(mutex_);
    const bool is_udp = rule.protocol == model::Protocol::udp;
    calls_.push_back("activate " + std::to_string(rule.id.value) + " " + rule.target().text() +
                     (is_udp ? " " + describe(udp) : ""));
    if (const auto it = failures_.find(rule.listen_port); it != failures_.end()) {
      co_return std::unexpected(it->second);
    }
    live_[rule.id].rule = rule.id;
    co_return std::expected<void, std::string>{};
  }

  async::Task<model::RuleTraffic> remove(RuleId id,
                                         std::chrono::steady_clock::duration grace) override {
    const std::lock_guard lock(mutex_);
    calls_.push_back("remove " + std::to_string(id.value));
    const auto entry = draining_.emplace(id, live_[id]);
    live_.erase(id);
    return drain(entry, std::chrono::steady_clock::now() + grace);
  }

  void limit_rule(RuleId id, const std::optional<model::RateLimit>& limit) override {
    note("limit " + std::to_string(id.value) + " " + describe(limit));
  }
  void tune_udp(RuleId id, model::UdpSettings udp) override {
    note("tune " + std::to_string(id.value) + " " + describe(udp));
  }
  void limit_owner(std::string_view owner_id,
                   const std::optional<model::RateLimit>& limit) override {
    note("limit " + std::string(owner_id) + " " + describe(limit));
  }
  void set_quota(std::string_view owner_id, std::uint64_t remaining, bool exhausted) override {
    note("quota " + std::string(owner_id) + " " + std::to_string(remaining) +
         (exhausted ? " exhausted" : ""));
  }
  void remove_quota(std::string_view owner_id) override {
    note("unmeter " + std::string(owner_id));
  }

  std::vector<model::RuleTraffic> counters() const override {
    const std::lock_guard lock(mutex_);
    std::vector<model::RuleTraffic> out;
    for (const auto& [id, traffic] : live_) out.push_back(traffic);
    return out;
  }
  std::optional<model::RuleTraffic> counters(RuleId id) const override {
    const std::lock_guard lock(mutex_);
    const auto it = live_.find(id);
    return it == live_.end() ? std::nullopt : std::optional(it->second);
  }
  std::vector<model::RuleTraffic> draining() const override {
    const std::lock_guard lock(mutex_);
    std::vector<model::RuleTraffic> out;
    for (const auto& [id, traffic] : draining_) out.push_back(traffic);
    return out;
  }
  std::vector<model::SniPortTraffic> sni_ports() const override {
    const std::lock_guard lock(mutex_);
    return sni_ports_;
  }
  std::vector<model::OwnerTraffic> owners() const override {
    const std::lock_guard lock(mutex_);
    return owners_;
  }

  void fail_port(std::uint16_t port, std::string reason) {
    const std::lock_guard lock(mutex_);
    failures_[port] = std::move(reason);
  }
  /// A live rule dies by itself. On the agent's thread.
  void kill(std::uint64_t id, const std::string& reason) {
    OnRuleFailed notify;
    model::RuleTraffic last;
    {
      const std::lock_guard lock(mutex_);
      last = live_[RuleId{id}];
      last.rule = RuleId{id};
      live_.erase(RuleId{id});
      notify = notify_;
    }
    notify(last, reason);
  }
  void set_bytes(std::uint64_t id, std::uint64_t in, std::uint64_t out) {
    model::RuleTraffic traffic;
    traffic.rule = RuleId{id};
    traffic.bytes_in = in;
    traffic.bytes_out = out;
    set_traffic(traffic);
  }
  void set_traffic(const model::RuleTraffic& traffic) {
    const std::lock_guard lock(mutex_);
    live_[traffic.rule] = traffic;
  }
  void set_sni_ports(std::vector<model::SniPortTraffic> ports) {
    const std::lock_guard lock(mutex_);
    sni_ports_ = std::move(ports);
  }
  void set_owners(std::vector<model::OwnerTraffic> owners) {
    const std::lock_guard lock(mutex_);
    owners_ = std::move(owners);
  }
  /// What a rule moved by now whose drain is held.
  void set_draining_bytes(std::uint64_t id, std::uint64_t in) {
    const std::lock_guard lock(mutex_);
    draining_.find(RuleId{id})->second.bytes_in = in;
  }
  /// While held, drains take their whole grace.
  void hold_drains(bool held) { held_ = held; }
  /// Bytes that every drain still moves.
  void set_drain_bytes(std::uint64_t in) { drain_bytes_ = in; }

  std::vector<std::string> calls() const {
    const std::lock_guard lock(mutex_);
    return calls_;
  }
  std::set<std::uint64_t> live() const {
    const std::lock_guard lock(mutex_);
    std::set<std::uint64_t> out;
    for (const auto& [id, traffic] : live_) out.insert(id.value);
    return out;
  }

 private:
  void note(std::string call) {
    const std::lock_guard lock(mutex_);
    calls_.push_back(std::move(call));
  }
  using Draining = std::multimap<RuleId, model::RuleTraffic>;

  async::Task<model::RuleTraffic> drain(Draining::iterator entry, SteadyTime deadline) {
    while (held_ && std::chrono::steady_clock::now() < deadline) {
      co_await async::sleep_for(std::chrono::milliseconds(1));
    }
    const std::lock_guard lock(mutex_);
    model::RuleTraffic last = draining_.extract(entry).mapped();
    last.bytes_in += drain_bytes_;
    co_return last;
  }

  mutable std::mutex mutex_;
  OnRuleFailed notify_;
  std::vector<std::string> calls_;
  std::map<RuleId, model::RuleTraffic> live_;
  Draining draining_;
  std::vector<model::SniPortTraffic> sni_ports_;
  std::vector<model::OwnerTraffic> owners_;
  std::map<std::uint16_t, std::string> failures_;
  std::atomic<bool> held_{false};
  std::atomic<std::uint64_t> drain_bytes_{0};
};

/// An agent on a thread of its own, as main has it.
class AgentLife {
 public:
  AgentLife(FakeEngine& engine, Bundle bundle, AgentOptions options)
      : agent_(io_.get_executor(), engine, std::move(bundle), std::move(options)) {
    boost::asio::co_spawn(io_, agent_.run(), [this](std::exception_ptr error, Agent::End end) {
      if (error) std::rethrow_exception(error);
      end_ = end;
      ended_ = true;
    });
    thread_ = std::thread([this] { io_.run(); });
  }
  ~AgentLife() {
    request_stop();
    thread_.join();
  }

  void request_stop() {
    boost::asio::post(io_, [this] { agent_.request_stop(); });
  }
  void kill_rule(FakeEngine& engine, std::uint64_t id, const std::string& reason) {
    boost::asio::post(io_, [&engine, id, reason] { engine.kill(id, reason); });
  }
  /// How it ended; waits for it, and fails the test when it does not.
  std::optional<Agent::End> end() {
    if (!test::eventually([this] { return ended_.load(); })) return std::nullopt;
    return end_;
  }
  bool ended() const { return ended_; }

 private:
  boost::asio::io_context io_{1};
  Agent agent_;
  Agent::End end_ = Agent::End::stopped;
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

/// Real time, but little of it.
inline AgentOptions quick_options() {
  using std::chrono::milliseconds;
  AgentOptions out;
  out.reconnect_base = milliseconds(1);
  out.reconnect_cap = milliseconds(5);
  out.drain_window = milliseconds(10'000);
  out.stats_interval = milliseconds(10);
  out.instance_id = "01J00000000000000000000001";
  return out;
}

inline Bundle bundle_for(std::uint16_t port, const std::string& pin,
                         const std::string& host = "127.0.0.1") {
  Bundle out;
  out.client_name = "edge-01";
  out.server = *ServerAddress::parse(host + ":" + std::to_string(port));
  out.pin = pin;
  out.token = Secret("the-bearer-of-this-test");
  return out;
}
inline Bundle bundle_for(const test::FakeControlServer& server) {
  return bundle_for(server.port(), server.pin());
}

}  // namespace portunus::client::agent
