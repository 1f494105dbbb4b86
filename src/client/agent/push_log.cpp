#include "client/agent/push_log.hpp"

#include <cstdint>

#include "common/log/logger.hpp"

namespace portunus::client::agent {
namespace {

using log::Event;

std::string protocol_text(v1::Protocol protocol) {
  switch (static_cast<int>(protocol)) {
    case v1::PROTOCOL_UNSPECIFIED:
    case v1::TCP:
      return "tcp";
    case v1::UDP:
      return "udp";
    default:
      return std::to_string(static_cast<int>(protocol));
  }
}

std::uint32_t last_port(const v1::Rule& rule) {
  return rule.listen_port_end() == 0 ? rule.listen_port() : rule.listen_port_end();
}

}  // namespace

void log_push(const v1::RuleUpdate& update) {
  const v1::Rule& rule = update.rule();
  log::log(Event::rule_received, {{"rule_id", std::to_string(rule.rule_id())},
                                  {"request_id", update.request_id()},
                                  {"listen_port", rule.listen_port()},
                                  {"listen_port_end", last_port(rule)},
                                  {"protocol", protocol_text(rule.protocol())}});
}

void log_refusal(const v1::RuleUpdate& update, const wire::RuleRefusal& refusal) {
  const v1::Rule& rule = update.rule();
  const std::string id = std::to_string(rule.rule_id());
  using Kind = wire::RuleRefusal::Kind;
  switch (refusal.kind) {
    case Kind::range:
      log::log(Event::rule_push_invalid_range,
               {{"request_id", update.request_id()}, {"rule_id", id}, {"error", refusal.detail}});
      return;
    case Kind::target:
      log::log(Event::rule_push_invalid_target, {{"request_id", update.request_id()},
                                                 {"rule_id", id},
                                                 {"target_index", refusal.target_index},
                                                 {"error", refusal.detail}});
      return;
    case Kind::sni:
      log_sni_refusal(update.request_id(), RuleId{rule.rule_id()},
                      refusal.reason + ": " + refusal.detail);
      return;
    case Kind::protocol:
    case Kind::limit:
      log::log(Event::rule_failed, {{"rule_id", id},
                                    {"listen_port", rule.listen_port()},
                                    {"listen_port_end", last_port(rule)},
                                    {"reason", refusal.reason}});
      return;
  }
}

void log_sni_refusal(const std::string& request_id, RuleId id, const std::string& error) {
  log::log(Event::sni_push_failed,
           {{"request_id", request_id}, {"rule_id", std::to_string(id.value)}, {"error", error}});
}

}  // namespace portunus::client::agent
