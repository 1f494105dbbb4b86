#pragma once

#include "client/agent/rule_engine.hpp"
#include "dataplane/forwarder/forwarder.hpp"

namespace portunus::client::app {

/// The forwarding engine as the agent sees it.
class ForwarderEngine final : public agent::RuleEngine {
 public:
  explicit ForwarderEngine(dataplane::Forwarder& forwarder) : forwarder_(forwarder) {}

  async::Task<std::expected<void, std::string>> activate(model::RuleSpec rule) override;
  async::Task<model::RuleTraffic> remove(RuleId id,
                                         std::chrono::steady_clock::duration grace) override;
  std::vector<model::RuleTraffic> counters() const override;

 private:
  dataplane::Forwarder& forwarder_;
};

}  // namespace portunus::client::app
