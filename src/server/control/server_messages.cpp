#include "server/control/server_messages.hpp"

#include <string>

#include "common/base/version.hpp"
#include "common/wire/rule_wire.hpp"

namespace portunus::server::control {

v1::ServerMessage welcome_message(const WelcomeSettings& settings, SystemTime now) {
  v1::ServerMessage out;
  v1::Welcome& welcome = *out.mutable_welcome();
  welcome.set_server_version(std::string(kVersion));
  welcome.set_server_time_unix_ms(static_cast<std::uint64_t>(to_unix_millis(now)));
  welcome.set_udp_flow_idle_secs(settings.udp_flow_idle_secs);
  welcome.set_udp_max_flows_per_rule(settings.udp_max_flows_per_rule);
  return out;
}

v1::ServerMessage push_message(std::string_view request_id, const model::RuleSpec& rule) {
  v1::ServerMessage out;
  v1::RuleUpdate& update = *out.mutable_rule_update();
  update.set_request_id(std::string(request_id));
  update.set_action(v1::PUSH);
  wire::rule_to_wire(rule, *update.mutable_rule());
  return out;
}

v1::ServerMessage remove_message(std::string_view request_id, RuleId rule) {
  v1::ServerMessage out;
  v1::RuleUpdate& update = *out.mutable_rule_update();
  update.set_request_id(std::string(request_id));
  update.set_action(v1::REMOVE);
  update.mutable_rule()->set_rule_id(rule.value);
  return out;
}

v1::ServerMessage quota_message(const wire::QuotaUpdate& update) {
  v1::ServerMessage out;
  wire::quota_to_wire(update, *out.mutable_traffic_quota_update());
  return out;
}

v1::ServerMessage owner_caps_message(const wire::OwnerLimitUpdate& update) {
  v1::ServerMessage out;
  wire::owner_limit_to_wire(update, *out.mutable_owner_rate_limit_update());
  return out;
}

v1::ServerMessage replay_complete_message() {
  v1::ServerMessage out;
  out.mutable_replay_complete();
  return out;
}

}  // namespace portunus::server::control
