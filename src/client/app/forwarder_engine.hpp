#pragma once

#include "client/agent/rule_engine.hpp"
#include "dataplane/forwarder/forwarder.hpp"

namespace portunus::client::app {

/// The forwarding engine as the agent sees it.
class ForwarderEngine final : public agent::RuleEngine {
 public:
  explicit ForwarderEngine(dataplane::Forwarder& forwarder) : forwarder_(forwarder) {}

  void on_rule_failed(OnRuleFailed notify) override;
  async::Task<std::expected<void, std::string>> activate(model::RuleSpec rule,
                                                         model::UdpSettings udp) override;
  async::Task<model::RuleTraffic> remove(RuleId id,
                                         std::chrono::steady_clock::duration grace) override;
  void limit_rule(RuleId id, const std::optional<model::RateLimit>& limit) override;
  void tune_udp(RuleId id, model::UdpSettings udp) override;
  void limit_owner(std::string_view owner_id,
                   const std::optional<model::RateLimit>& limit) override;
  void set_quota(std::string_view owner_id, std::uint64_t remaining, bool exhausted) override;
  void remove_quota(std::string_view owner_id) override;
  std::vector<model::RuleTraffic> counters() const override;
  std::optional<model::RuleTraffic> counters(RuleId id) const override;
  std::vector<model::RuleTraffic> draining() const override;
  std::vector<model::SniPortTraffic> sni_ports() const override;
  std::vector<model::OwnerTraffic> owners() const override;

 private:
  dataplane::Forwarder& forwarder_;
};

}  // namespace portunus::client::app
