#pragma once

#include "server/control/control_server.hpp"
#include "server/control/ports.hpp"

namespace portunus::server::control {

/// The domain of the server behind all ports: what a session begins with and reports goes to each
/// service that it concerns.
class ServicePorts final : public ClientAuthority, public RuleFeed, public LimitFeed {
 public:
  explicit ServicePorts(const Domain& domain) : domain_(domain) {}

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

  std::vector<std::string> quota_users(std::string_view client_id) const override;
  std::optional<model::QuotaState> quota(std::string_view client_id,
                                         std::string_view user_id) const override;
  std::vector<std::string> capped_owners(std::string_view client_id) const override;
  std::optional<model::RateLimit> owner_caps(std::string_view client_id,
                                             std::string_view owner_id) const override;

 private:
  Domain domain_;
};

}  // namespace portunus::server::control
