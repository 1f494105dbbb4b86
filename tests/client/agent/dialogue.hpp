#pragma once

#include <string>
#include <string_view>

#include "client/agent/edge_actions.hpp"
#include "portunus/v1/control.pb.h"

namespace portunus::client::agent {

// What a server says, and what the edge decides, as text.

inline std::string describe(const std::optional<model::RateLimit>& limit) {
  if (!limit) return "none";
  std::string out;
  const auto add = [&out](std::string_view name, const auto& value) {
    if (value) out += (out.empty() ? "" : " ") + std::string(name) + "=" + std::to_string(*value);
  };
  add("in", limit->bandwidth_in_bps);
  add("out", limit->bandwidth_out_bps);
  add("new", limit->new_connections_per_sec);
  add("live", limit->concurrent_connections);
  return out;
}

inline std::string describe(const model::UdpSettings& udp) {
  return "udp=" + std::to_string(udp.flow_idle.count()) + "/" + std::to_string(udp.max_flows);
}

inline std::string describe(const model::RuleSpec& rule) {
  std::string out = std::to_string(rule.listen_port);
  if (rule.ports > 1) out += "-" + std::to_string(rule.last_listen_port());
  out += ">" + rule.target().text();
  if (rule.sni_pattern) out += " sni=" + *rule.sni_pattern;
  if (rule.rate_limit) out += " " + describe(rule.rate_limit);
  return out;
}

/// One line per action, so that a dialogue reads as text.
struct Describe {
  std::string operator()(const Established& a) const {
    return "established " + a.welcome.server_version();
  }
  std::string operator()(const Activate& a) const {
    const bool udp = a.rule.protocol == model::Protocol::udp;
    return "activate " + std::to_string(a.rule.id.value) + " " + describe(a.rule) +
           (udp ? " " + describe(a.udp) : "");
  }
  std::string operator()(const Remove& a) const {
    return std::string(a.replaced ? "replace " : "remove ") + std::to_string(a.id.value) + " #" +
           std::to_string(a.ticket);
  }
  std::string operator()(const LimitRule& a) const {
    return "limit " + std::to_string(a.id.value) + " " + describe(a.limit);
  }
  std::string operator()(const TuneUdp& a) const {
    return "tune " + std::to_string(a.id.value) + " " + describe(a.udp);
  }
  std::string operator()(const LimitOwner& a) const {
    return "limit owner " + a.owner_id + " " + describe(a.limit);
  }
  std::string operator()(const SetQuota& a) const {
    return "quota " + a.owner_id + " " + std::to_string(a.remaining) +
           (a.exhausted ? " exhausted" : "");
  }
  std::string operator()(const RemoveQuota& a) const { return "unmeter " + a.owner_id; }
  std::string operator()(const SendStatus& a) const {
    const auto& s = a.status;
    return v1::ActivationOutcome_Name(s.outcome()) + " " + std::to_string(s.rule_id()) + " " +
           s.request_id() + (s.reason().empty() ? "" : " " + s.reason());
  }
  std::string operator()(const GiveUp& a) const { return "give up: " + a.error; }
};

inline std::string describe(const Actions& actions) {
  std::string out;
  for (const Action& action : actions) {
    out += (out.empty() ? "" : "; ") + std::visit(Describe{}, action);
  }
  return out;
}

inline v1::ServerMessage welcome(std::uint32_t udp_idle = 0, std::uint32_t udp_flows = 0) {
  v1::ServerMessage message;
  message.mutable_welcome()->set_server_version("3.1.0");
  message.mutable_welcome()->set_udp_flow_idle_secs(udp_idle);
  message.mutable_welcome()->set_udp_max_flows_per_rule(udp_flows);
  return message;
}

inline v1::Rule& rule_of(v1::ServerMessage& message) {
  return *message.mutable_rule_update()->mutable_rule();
}

inline v1::ServerMessage push(std::string_view request, std::uint64_t id, std::uint32_t port,
                              std::string_view host = "10.0.0.1") {
  v1::ServerMessage message;
  auto& update = *message.mutable_rule_update();
  update.set_request_id(std::string(request));
  update.set_action(v1::PUSH);
  update.mutable_rule()->set_rule_id(id);
  update.mutable_rule()->set_listen_port(port);
  update.mutable_rule()->set_target_host(std::string(host));
  update.mutable_rule()->set_target_port(80);
  return message;
}

inline v1::ServerMessage udp_push(std::string_view request, std::uint64_t id, std::uint32_t port) {
  v1::ServerMessage message = push(request, id, port);
  rule_of(message).set_protocol(v1::UDP);
  return message;
}

inline v1::ServerMessage sni_push(std::string_view request, std::uint64_t id, std::uint32_t port,
                                  std::string_view pattern) {
  v1::ServerMessage message = push(request, id, port);
  rule_of(message).set_sni_pattern(std::string(pattern));
  return message;
}

inline v1::ServerMessage range_push(std::string_view request, std::uint64_t id, std::uint32_t first,
                                    std::uint32_t last) {
  v1::ServerMessage message = push(request, id, first);
  rule_of(message).set_listen_port_end(last);
  rule_of(message).set_target_port_end(80 + last - first);
  return message;
}

inline v1::Target target(std::string_view host, std::uint32_t port) {
  v1::Target out;
  out.set_host(std::string(host));
  out.set_port(port);
  return out;
}

inline v1::ServerMessage remove(std::string_view request, std::uint64_t id) {
  v1::ServerMessage message;
  message.mutable_rule_update()->set_request_id(std::string(request));
  message.mutable_rule_update()->set_action(v1::REMOVE);
  message.mutable_rule_update()->mutable_rule()->set_rule_id(id);
  return message;
}

/// SET with a concurrency cap, or without any for 0.
inline v1::ServerMessage owner_limit(std::string_view owner, std::uint32_t live) {
  v1::ServerMessage message;
  auto& update = *message.mutable_owner_rate_limit_update();
  update.set_action(v1::OWNER_RATE_LIMIT_ACTION_SET);
  update.set_client_name("edge-01");
  update.set_owner_id(std::string(owner));
  if (live != 0) update.mutable_rate_limit()->set_concurrent_connections(live);
  return message;
}

inline v1::ServerMessage owner_unlimit(std::string_view owner) {
  v1::ServerMessage message = owner_limit(owner, 0);
  message.mutable_owner_rate_limit_update()->set_action(v1::OWNER_RATE_LIMIT_ACTION_REMOVE);
  return message;
}

inline v1::ServerMessage quota(std::string_view user, std::int64_t left, bool exhausted = false) {
  v1::ServerMessage message;
  auto& update = *message.mutable_traffic_quota_update();
  update.set_request_id("q1");
  update.set_action(v1::TRAFFIC_QUOTA_ACTION_SET);
  update.set_client_name("edge-01");
  update.set_user_id(std::string(user));
  update.mutable_state()->set_monthly_bytes(1000);
  update.mutable_state()->set_budget_remaining_bytes(left);
  update.mutable_state()->set_exhausted(exhausted);
  return message;
}

inline v1::ServerMessage unquota(std::string_view user) {
  v1::ServerMessage message = quota(user, 0);
  message.mutable_traffic_quota_update()->set_action(v1::TRAFFIC_QUOTA_ACTION_REMOVE);
  message.mutable_traffic_quota_update()->clear_state();
  return message;
}

inline v1::ServerMessage replay_complete() {
  v1::ServerMessage message;
  message.mutable_replay_complete();
  return message;
}

}  // namespace portunus::client::agent
