#include "server/rules/rule_events.hpp"

#include <string>
#include <vector>

#include "common/log/logger.hpp"

namespace portunus::server::rules {

using log::Event;
using log::Level;

namespace {

constexpr std::size_t kMostLimiters = 65536;

}  // namespace

void log_push_sent(const store::RuleRow& rule, std::string_view request_id) {
  const model::RuleSpec& spec = rule.spec;
  const std::string rule_id = std::to_string(spec.id.value);
  const std::string target = spec.target().text();
  std::vector<log::Field> fields = {{"outcome", "sent"},
                                    {"request_id", request_id},
                                    {"rule_id", rule_id},
                                    {"client_name", rule.client_name},
                                    {"listen_port", spec.listen_port},
                                    {"listen_port_end", spec.last_listen_port()},
                                    {"range_size", spec.ports}};
  if (spec.multi_target()) {
    fields.push_back({"target_count", spec.targets.size()});
  } else {
    fields.push_back({"target", target});
  }
  if (spec.health_check_interval_secs) {
    fields.push_back({"health_check_interval_secs", *spec.health_check_interval_secs});
  }
  if (spec.multi_target()) fields.push_back({"multi_target", true});
  log::log_fields(Level::info, Event::audit_rule_push, fields);
}

void log_push_result(const store::RuleRow& rule, std::string_view request_id,
                     std::string_view outcome, std::string_view reason) {
  const std::string rule_id = std::to_string(rule.spec.id.value);
  std::vector<log::Field> fields = {{"outcome", outcome},
                                    {"request_id", request_id},
                                    {"rule_id", rule_id},
                                    {"client_name", rule.client_name}};
  if (!reason.empty()) fields.push_back({"reason", reason});
  log::log_fields(outcome == "activated" ? Level::info : Level::warn, Event::audit_rule_push,
                  fields);
}

void log_remove(const store::RuleRow& rule, std::string_view request_id, bool told) {
  log::log_at(told ? Level::info : Level::warn, Event::audit_rule_remove,
              {{"outcome", told ? "success" : "client_unreachable"},
               {"request_id", request_id},
               {"rule_id", std::to_string(rule.spec.id.value)},
               {"client_name", rule.client_name}});
}

void StatusEvents::unmatched(std::string_view client_name, RuleId rule,
                             std::string_view request_id) {
  const std::string rule_id = std::to_string(rule.value);
  log(unmatched_, client_name, Event::client_rule_status_unmatched,
      {{"client_name", client_name}, {"rule_id", rule_id}, {"request_id", request_id}});
}

void StatusEvents::wrong_client(std::string_view client_name, RuleId rule,
                                std::string_view request_id, std::string_view rule_owner) {
  const std::string rule_id = std::to_string(rule.value);
  log(wrong_client_, client_name, Event::client_rule_status_wrong_client,
      {{"client_name", client_name},
       {"rule_id", rule_id},
       {"request_id", request_id},
       {"rule_owner", rule_owner}});
}

void StatusEvents::log(Limiters& limiters, std::string_view client_name, Event event,
                       std::vector<log::Field> fields) {
  if (!log::enabled(event)) return;
  auto limiter = limiters.find(client_name);
  if (limiter == limiters.end()) {
    // Names that are gone stay until there are many; starting anew costs a few lines.
    if (limiters.size() >= kMostLimiters) limiters.clear();
    limiter = limiters.try_emplace(std::string(client_name)).first;
  }
  const auto suppressed = limiter->second.admit(clock_.steady_now());
  if (!suppressed) return;
  if (*suppressed > 0) fields.push_back({"suppressed", *suppressed});
  log::log_fields(log::info(event).level, event, fields);
}

}  // namespace portunus::server::rules
