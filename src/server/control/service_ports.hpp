#pragma once

#include "server/control/ports.hpp"

namespace portunus::server::control {

/// The services of the server behind both ports.
class ServicePorts final : public ClientAuthority, public RuleFeed {
 public:
  ServicePorts(auth::ClientService& clients, rules::RuleService& rules)
      : clients_(clients), rules_(rules) {}

  async::Task<Result<EdgeIdentity>> authenticate(std::optional<std::string> authorization) override;
  async::Task<Result<auth::RedeemedBundle>> redeem(std::string code) override;

  std::vector<model::RuleSpec> begin_session(
      std::string_view client_id, const rules::ClientCapabilities& capabilities) override;
  const model::RuleSpec* current(RuleId rule) const override;
  void expect_status(std::string_view client_id, std::string request_id, RuleId rule) override;
  void on_status(std::string_view client_id, std::string_view client_name,
                 std::string_view request_id, RuleId rule, rules::Outcome outcome,
                 std::string reason) override;
  void on_report(std::string_view client_id, std::string_view client_name,
                 const model::TrafficReport& report) override;
  void end_session(std::string_view client_id) override;

 private:
  auth::ClientService& clients_;
  rules::RuleService& rules_;
};

}  // namespace portunus::server::control
