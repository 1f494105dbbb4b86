#include "server/control/service_ports.hpp"

#include <utility>

namespace portunus::server::control {

async::Task<Result<EdgeIdentity>> ServicePorts::authenticate(
    std::optional<std::string> authorization) {
  auto client = co_await clients_.authenticate(std::move(authorization));
  if (!client) co_return fail(client.error());
  co_return EdgeIdentity{std::move(client->client_id), std::move(client->name)};
}

async::Task<Result<auth::RedeemedBundle>> ServicePorts::redeem(std::string code) {
  return clients_.redeem(std::move(code));
}

std::vector<model::RuleSpec> ServicePorts::begin_session(
    std::string_view client_id, const rules::ClientCapabilities& capabilities) {
  return rules_.begin_session(client_id, capabilities);
}

const model::RuleSpec* ServicePorts::current(RuleId rule) const {
  return rules_.current(rule);
}

void ServicePorts::expect_status(std::string_view client_id, std::string request_id, RuleId rule) {
  rules_.expect_status(client_id, std::move(request_id), rule);
}

void ServicePorts::on_status(std::string_view client_id, std::string_view client_name,
                             std::string_view request_id, RuleId rule, rules::Outcome outcome,
                             std::string reason) {
  rules_.on_status(client_id, client_name, request_id, rule, outcome, std::move(reason));
}

void ServicePorts::on_report(std::string_view client_id, std::string_view client_name,
                             const model::TrafficReport& report) {
  rules_.on_report(client_id, client_name, report);
}

void ServicePorts::end_session(std::string_view client_id) {
  rules_.end_session(client_id);
}

}  // namespace portunus::server::control
