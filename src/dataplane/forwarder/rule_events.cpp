#include "dataplane/forwarder/rule_events.hpp"

#include <string>
#include <vector>

#include "common/log/logger.hpp"

namespace portunus::dataplane {
namespace {

using log::Event;
using log::Field;

/// The line of `rule`, which may have failed before it lived.
void write(log::Level level, Event event, const model::RuleSpec& rule,
           const std::vector<Field>& fields) {
  const std::string id = std::to_string(rule.id.value);
  std::vector<Field> all{{"rule_id", id}};
  if (!rule.label.empty()) all.push_back({"rule_name", rule.label});
  all.insert(all.end(), fields.begin(), fields.end());
  if (rule.multi_target()) all.push_back({"multi_target", true});
  log::log_fields(level, event, all);
}
void write(Event event, const model::RuleSpec& rule, const std::vector<Field>& fields) {
  write(log::info(event).level, event, rule, fields);
}

}  // namespace

void log_activated(const rules::LiveRule& rule) {
  if (!log::enabled(Event::rule_activated)) return;
  const model::RuleSpec& spec = rule.spec();
  std::vector<std::string> targets;
  for (const model::Target& target : spec.targets) targets.push_back(target.text());
  std::vector<Field> fields{{"listen_port", spec.listen_port},
                            {"listen_port_end", spec.last_listen_port()},
                            {"range_size", spec.ports},
                            {"protocol", model::protocol_name(spec.protocol)}};
  if (spec.multi_target()) {
    fields.push_back({"target_count", targets.size()});
    fields.push_back({"targets", targets});
  } else {
    fields.push_back({"target", targets.front()});
  }
  write(Event::rule_activated, spec, fields);
}

void log_failed(log::Level level, const model::RuleSpec& rule, std::string_view reason,
                std::optional<std::uint16_t> port) {
  std::vector<Field> fields{{"listen_port", rule.listen_port},
                            {"listen_port_end", rule.last_listen_port()}};
  if (port) fields.push_back({"offending_port", *port});
  fields.push_back({"reason", reason});
  write(level, Event::rule_failed, rule, fields);
}

void log_udp_started(udp::UdpRule& rule) {
  if (!log::enabled(Event::udp_runtime_started)) return;
  write(Event::udp_runtime_started, rule.spec(),
        {{"listen_port_start", rule.spec().listen_port},
         {"listen_port_end", rule.spec().last_listen_port()},
         {"range_size", rule.spec().ports},
         {"rule_cap", rule.max_flows()},
         {"cap_scope", "per_rule"}});
}

void log_deactivated(const rules::LiveRule& rule) {
  if (!log::enabled(Event::rule_deactivated)) return;
  write(Event::rule_deactivated, rule.spec(), {{"protocol", "udp"}, {"reason", "cancelled"}});
}

void log_removed(const rules::LiveRule& rule) {
  if (!log::enabled(Event::rule_removed)) return;
  const model::RuleSpec& spec = rule.spec();
  std::vector<Field> fields{{"protocol", model::protocol_name(spec.protocol)}};
  if (spec.multi_target()) {
    fields.push_back({"target_failovers_total", rule.traffic().target_failovers});
  }
  write(Event::rule_removed, spec, fields);
}

}  // namespace portunus::dataplane
