#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>

#include "client/agent/bundle.hpp"
#include "client/agent/options.hpp"
#include "client/agent/rule_engine.hpp"
#include "common/async/task.hpp"

namespace portunus::client::agent {

/// The edge: keeps one control session to the server whenever there is one, and the rules on the
/// engine whether there is one or not (control-wire 5, D7).
///
/// Everything lives on one executor. run() is the whole life; request_stop() makes it drain the
/// rules and return. Any error of the network is retried for ever; only the server's final refusal
/// and a wrong certificate end it otherwise.
class Agent {
 public:
  enum class End {
    stopped,       ///< by request_stop(), drained
    refused,       ///< the bearer is not accepted (control-wire section 4)
    pin_mismatch,  ///< the server is another one (control-wire 1.1)
  };

  Agent(boost::asio::any_io_executor executor, RuleEngine& engine, Bundle bundle,
        AgentOptions options);
  ~Agent();
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  /// Once. When it returns, no rule is left on the engine.
  async::Task<End> run();
  /// Idempotent.
  void request_stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace portunus::client::agent
