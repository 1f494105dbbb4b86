#include "server/control/service_ports.hpp"

#include <utility>

namespace portunus::server::control {

async::Task<Result<EdgeIdentity>> ServicePorts::authenticate(
    std::optional<std::string> authorization) {
  auto client = co_await domain_.clients.authenticate(std::move(authorization));
  if (!client) co_return fail(client.error());
  co_return EdgeIdentity{std::move(client->client_id), std::move(client->name)};
}

async::Task<Result<auth::RedeemedBundle>> ServicePorts::redeem(std::string code) {
  return domain_.clients.redeem(std::move(code));
}

std::vector<model::RuleSpec> ServicePorts::begin_session(
    std::string_view client_id, const rules::ClientCapabilities& capabilities) {
  domain_.owner_caps.begin_session(client_id);
  return domain_.rules.begin_session(client_id, capabilities);
}

const model::RuleSpec* ServicePorts::current(RuleId rule) const {
  return domain_.rules.current(rule);
}

void ServicePorts::expect_status(std::string_view client_id, std::string request_id, RuleId rule) {
  domain_.rules.expect_status(client_id, std::move(request_id), rule);
}

void ServicePorts::on_status(std::string_view client_id, std::string_view client_name,
                             std::string_view request_id, RuleId rule, rules::Outcome outcome,
                             std::string reason) {
  domain_.rules.on_status(client_id, client_name, request_id, rule, outcome, std::move(reason));
}

void ServicePorts::on_report(std::string_view client_id, std::string_view client_name,
                             const model::TrafficReport& report) {
  domain_.owner_caps.on_report(client_id, report.owners);
  const auto usage = domain_.rules.on_report(client_id, client_name, report);
  domain_.quotas.on_usage(client_id, client_name, usage);
}

void ServicePorts::end_session(std::string_view client_id) {
  domain_.rules.end_session(client_id);
}

std::vector<std::string> ServicePorts::quota_users(std::string_view client_id) const {
  return domain_.quotas.users(client_id);
}

std::optional<model::QuotaState> ServicePorts::quota(std::string_view client_id,
                                                     std::string_view user_id) const {
  return domain_.quotas.state(client_id, user_id);
}

std::vector<std::string> ServicePorts::capped_owners(std::string_view client_id) const {
  return domain_.owner_caps.owners_of(client_id);
}

std::optional<model::RateLimit> ServicePorts::owner_caps(std::string_view client_id,
                                                         std::string_view owner_id) const {
  const model::RateLimit* caps = domain_.owner_caps.caps(client_id, owner_id);
  return caps == nullptr ? std::nullopt : std::optional(*caps);
}

}  // namespace portunus::server::control
