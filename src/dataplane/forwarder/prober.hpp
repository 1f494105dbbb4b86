#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "common/async/gate.hpp"
#include "common/async/task.hpp"
#include "common/base/clock.hpp"
#include "dataplane/dns/resolver.hpp"
#include "dataplane/rules/live_rule.hpp"

namespace portunus::dataplane {

/// data-plane section 1.
struct ProbeTimes {
  /// A connect to one address while there is another.
  std::chrono::milliseconds address{3'000};
  /// A whole probe.
  std::chrono::milliseconds probe{5'000};
  /// How often a failed target is probed when the rule sets no interval (FO-10).
  std::chrono::milliseconds recovery{15'000};
};

/// Connects to the targets of multi-target rules in the background and books what it finds as their
/// health: target after target by the rule's interval (FO-9), or the failed ones now and then
/// (FO-10). UDP rules are probed over TCP as well. One task per rule, so that probes of a rule
/// never overlap; the connection path shares nothing with it but the health. Lives on one core's
/// thread.
class Prober {
 public:
  Prober(boost::asio::io_context& home, dns::Resolver& resolver, ProbeTimes times = {});
  ~Prober();
  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;

  /// From now on until stop(). Nothing to do for a rule with one target.
  void start(const std::shared_ptr<rules::LiveRule>& rule);
  /// The rule's health is not touched any more. Ignored when it is not probed.
  void stop(const rules::LiveRule& rule);
  /// Stops all of it and lets the context run out of work once the resolver has answered.
  void stop();

 private:
  struct Watch;
  using Shared = std::shared_ptr<Watch>;
  struct Outcome {
    enum class Result : std::uint8_t { ok, failed, timeout } result;
    std::string error = {};
    /// There was no descriptor or memory to probe with: nothing was learnt of the target.
    bool of_this_host = false;
  };

  async::Task<> run(Shared watch);
  async::Task<> probe(Shared watch, std::size_t row);
  async::Task<Outcome> attempt(Shared watch, std::size_t row);
  async::Task<dns::Resolver::Reply> resolve(Shared watch, std::size_t row, SteadyTime until);
  static async::Task<int> connect(Shared watch, net::Endpoint where, SteadyTime until);
  void book(Watch& watch, std::size_t row, const Outcome& outcome);

  boost::asio::io_context& home_;
  dns::Resolver& resolver_;
  const ProbeTimes times_;
  std::unordered_map<const rules::LiveRule*, Shared> watches_;
  async::Gate gate_;
};

}  // namespace portunus::dataplane
