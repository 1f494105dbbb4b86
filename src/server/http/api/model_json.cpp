#include "server/http/api/model_json.hpp"

#include <nlohmann/json.hpp>

#include "common/base/rfc3339.hpp"

namespace portunus::server::http::api {
namespace {

using Json = nlohmann::ordered_json;

std::string write(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json time_or_null(const std::optional<SystemTime>& time) {
  return time ? Json(format_rfc3339(*time)) : Json(nullptr);
}

Json text_or_null(const std::optional<std::string>& text) {
  return text ? Json(*text) : Json(nullptr);
}

Json to_json(const auth::ClientView& client) {
  const auto& session = client.session;
  return Json{
      {"client_id", client.row.client_id},
      {"client_name", client.row.name},
      {"provisioned_at", format_rfc3339(client.row.provisioned_at)},
      {"revoked_at", time_or_null(client.row.revoked_at)},
      {"connected", session.has_value()},
      {"client_address", text_or_null(client.row.address)},
      {"remote_addr", session ? Json(session->remote_addr) : Json(nullptr)},
      {"connected_at", session ? Json(format_rfc3339(session->connected_at)) : Json(nullptr)},
  };
}

Json state_json(const store::RuleRow& rule) {
  switch (rule.state) {
    case store::RuleState::pending:
      return Json{{"kind", "pending"}};
    case store::RuleState::active:
      return Json{{"kind", "active"}};
    case store::RuleState::failed:
      return Json{{"kind", "failed"}, {"reason", rule.failure_reason}};
  }
  return {};
}

std::string status_word(const store::RuleRow& rule) {
  switch (rule.state) {
    case store::RuleState::pending:
      return "Pending";
    case store::RuleState::active:
      return "Active";
    case store::RuleState::failed:
      return "Failed:" + rule.failure_reason;
  }
  return {};
}

Json to_json(const store::RuleRow& rule) {
  const model::Target& target = rule.spec.target();
  const Json only_target = {{"host", target.host},
                            {"port", target.port},
                            {"priority", 0},
                            {"proxy_protocol", nullptr},
                            {"health", nullptr}};
  return Json{
      {"id", rule.spec.id.value},
      {"client_id", text_or_null(rule.client_id)},
      {"client_name", rule.client_name},
      {"listen_port", rule.spec.listen_port},
      {"target_host", target.host},
      {"target_port", target.port},
      {"prefer_ipv6", rule.spec.prefer_ipv6.value_or(false)},
      {"protocol", model::protocol_name(rule.spec.protocol)},
      {"state", state_json(rule)},
      {"created_at", format_rfc3339(rule.created_at)},
      {"last_state_change_at", format_rfc3339(rule.last_state_change_at)},
      {"owner_user_id", rule.spec.owner_id},
      {"targets", Json::array({only_target})},
  };
}

template <class T>
std::string list_json(std::span<const T> items) {
  Json list = Json::array();
  for (const T& item : items) list.push_back(to_json(item));
  return write(list);
}

}  // namespace

std::string_view role_name(store::Role role) {
  switch (role) {
    case store::Role::superadmin:
      return "superadmin";
    case store::Role::user:
      return "user";
  }
  return "";
}

std::string identity_json(const auth::Identity& identity) {
  const std::string& shown =
      identity.display_name.empty() ? identity.user_id : identity.display_name;
  return write(Json{
      {"user_id", identity.user_id}, {"role", role_name(identity.role)}, {"display_name", shown}});
}

std::string enrollment_json(const auth::IssuedEnrollment& issued) {
  return write(Json{{"client_name", issued.client_name},
                    {"expires_at", format_rfc3339(issued.expires_at, "+00:00")},
                    {"uri", issued.uri},
                    {"command", issued.command()}});
}

std::string client_json(const auth::ClientView& client) {
  return write(to_json(client));
}
std::string clients_json(std::span<const auth::ClientView> clients) {
  return list_json(clients);
}

std::string pushed_json(const store::RuleRow& rule) {
  return write(Json{{"rule_id", rule.spec.id.value},
                    {"status", status_word(rule)},
                    {"target_host", rule.spec.target().host},
                    {"prefer_ipv6", rule.spec.prefer_ipv6.value_or(false)},
                    {"protocol", model::protocol_name(rule.spec.protocol)},
                    {"owner", rule.spec.owner_id}});
}

std::string rules_json(std::span<const store::RuleRow> rules) {
  return list_json(rules);
}

std::string stats_json(const store::RuleRow& rule, const rules::RuleNumbers& numbers,
                       bool per_target) {
  Json json{{"rule_id", rule.spec.id.value},
            {"client_name", rule.client_name},
            {"protocol", model::protocol_name(rule.spec.protocol)},
            {"bytes_in", numbers.latest.bytes_in},
            {"bytes_out", numbers.latest.bytes_out},
            {"active_connections", numbers.latest.active_connections},
            {"dns_failures", 0},
            {"datagrams_in", 0},
            {"datagrams_out", 0},
            {"active_flows", 0},
            {"flows_dropped_overflow", 0},
            {"target_failovers_total", 0},
            {"updated_at", format_rfc3339(numbers.updated_at)}};
  if (per_target) json["per_target"] = Json::array();
  return write(json);
}

}  // namespace portunus::server::http::api
