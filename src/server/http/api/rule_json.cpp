#include "server/http/api/rule_json.hpp"

#include <algorithm>
#include <utility>

namespace portunus::server::http::api {
namespace {

using Json = AnswerJson;

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

/// Null until a report has covered that row.
Json health_json(const rules::RuleNumbers* numbers, std::size_t row) {
  if (numbers == nullptr) return nullptr;
  const auto& reported = numbers->latest.targets;
  const auto found = std::ranges::find(reported, row, &model::TargetTraffic::index);
  if (found == reported.end()) return nullptr;
  return Json{{"healthy", found->health == 0},
              {"consecutive_failures", found->consecutive_failures},
              {"last_failure_at_unix_ms", found->last_failure_unix_ms},
              {"last_success_at_unix_ms", found->last_success_unix_ms}};
}

Json targets_json(const rules::RuleView& rule) {
  Json list = Json::array();
  for (const model::Target& target : rule.row.spec.targets) {
    const Json proxy = target.proxy ? Json(model::proxy_version_name(*target.proxy)) : Json();
    list.push_back(Json{{"host", target.host},
                        {"port", target.port},
                        {"priority", target.priority},
                        {"proxy_protocol", proxy},
                        {"health", health_json(rule.numbers, list.size())}});
  }
  return list;
}

Json to_json(const rules::RuleView& rule) {
  const store::RuleRow& row = rule.row;
  const model::RuleSpec& spec = row.spec;
  Json json{{"id", spec.id.value},
            {"client_id", text_or_null(row.client_id)},
            {"client_name", row.client_name},
            {"listen_port", spec.listen_port}};
  if (spec.ports > 1) json["listen_port_end"] = spec.last_listen_port();
  json["target_host"] = spec.target().host;
  json["target_port"] = spec.target().port;
  if (spec.ports > 1) json["target_port_end"] = spec.target().port + spec.ports - 1;
  json["prefer_ipv6"] = spec.prefer_ipv6.value_or(false);
  json["protocol"] = model::protocol_name(spec.protocol);
  json["state"] = state_json(row);
  json["created_at"] = format_rfc3339(row.created_at);
  json["last_state_change_at"] = format_rfc3339(row.last_state_change_at);
  json["owner_user_id"] = spec.owner_id;
  json["targets"] = targets_json(rule);
  if (spec.health_check_interval_secs) {
    json["health_check_interval_secs"] = *spec.health_check_interval_secs;
  }
  if (spec.sni_pattern) json["sni_pattern"] = *spec.sni_pattern;
  if (spec.rate_limit) json["rate_limit"] = caps_json(*spec.rate_limit);
  return json;
}

Json ports_json(const rules::RuleNumbers& numbers) {
  Json list = Json::array();
  for (const model::PortTraffic& port : numbers.latest.ports) {
    list.push_back(Json{{"listen_port", port.listen_port},
                        {"bytes_in", port.bytes_in},
                        {"bytes_out", port.bytes_out},
                        {"active_connections", port.active_connections},
                        {"datagrams_in", port.datagrams_in},
                        {"datagrams_out", port.datagrams_out},
                        {"updated_at", format_rfc3339(numbers.updated_at)}});
  }
  return list;
}

/// Empty for a rule of one target, whatever the edge reports about it.
Json target_stats_json(const rules::RuleView& rule) {
  Json list = Json::array();
  if (!rule.row.spec.multi_target()) return list;
  for (const model::TargetTraffic& target : rule.numbers->latest.targets) {
    list.push_back(Json{{"index", target.index},
                        {"host", target.host},
                        {"port", target.port},
                        {"priority", target.priority},
                        {"health", target.health},
                        {"consecutive_failures", target.consecutive_failures},
                        {"last_failure_at_unix_ms", target.last_failure_unix_ms},
                        {"last_success_at_unix_ms", target.last_success_unix_ms},
                        {"bytes_in", target.bytes_in},
                        {"bytes_out", target.bytes_out},
                        {"connections_accepted", target.connections}});
  }
  return list;
}

Json counters_json(const rules::RuleNumbers& numbers) {
  const model::RuleTraffic& latest = numbers.latest;
  return Json{{"bytes_in", latest.bytes_in},
              {"bytes_out", latest.bytes_out},
              {"active_connections", latest.active_connections},
              {"dns_failures", latest.dns_failures},
              {"datagrams_in", latest.datagrams_in},
              {"datagrams_out", latest.datagrams_out},
              {"active_flows", latest.active_flows},
              {"flows_dropped_overflow", latest.flows_dropped_overflow},
              {"target_failovers_total", latest.target_failovers},
              {"updated_at", format_rfc3339(numbers.updated_at)}};
}

}  // namespace

AnswerJson caps_json(const model::RateLimit& limit) {
  Json json = Json::object();
  const auto add = [&](const char* key, const auto& cap) {
    if (cap) json[key] = *cap;
  };
  add("bandwidth_in_bps", limit.bandwidth_in_bps);
  add("bandwidth_out_bps", limit.bandwidth_out_bps);
  add("new_connections_per_sec", limit.new_connections_per_sec);
  add("concurrent_connections", limit.concurrent_connections);
  add("bandwidth_in_burst", limit.bandwidth_in_burst);
  add("bandwidth_out_burst", limit.bandwidth_out_burst);
  add("new_connections_burst", limit.new_connections_burst);
  return json;
}

std::string pushed_json(const store::RuleRow& rule) {
  const model::RuleSpec& spec = rule.spec;
  Json json{{"rule_id", spec.id.value},
            {"status", status_word(rule)},
            {"target_host", spec.target().host},
            {"prefer_ipv6", spec.prefer_ipv6.value_or(false)},
            {"protocol", model::protocol_name(spec.protocol)},
            {"owner", spec.owner_id}};
  if (spec.sni_pattern) json["sni_pattern"] = *spec.sni_pattern;
  if (spec.rate_limit) json["rate_limit"] = caps_json(*spec.rate_limit);
  return write(json);
}

std::string rule_json(const rules::RuleView& rule) {
  return write(to_json(rule));
}

std::string stats_json(const rules::RuleView& rule, StatsDetail detail) {
  const rules::RuleNumbers& numbers = *rule.numbers;
  Json json{{"rule_id", rule.row.spec.id.value},
            {"client_name", rule.row.client_name},
            {"protocol", model::protocol_name(rule.row.spec.protocol)}};
  json.update(counters_json(numbers));
  if (detail.per_port && !numbers.latest.ports.empty()) json["per_port"] = ports_json(numbers);
  if (detail.per_target) json["per_target"] = target_stats_json(rule);
  return write(json);
}

std::string stats_frame_json(const rules::RuleView& rule, bool per_target) {
  Json json{{"rule_id", rule.row.spec.id.value}, {"client_name", rule.row.client_name}};
  json.update(counters_json(*rule.numbers));
  Json targets = per_target ? target_stats_json(rule) : Json::array();
  if (!targets.empty()) json["per_target"] = std::move(targets);
  return write(json);
}

}  // namespace portunus::server::http::api
