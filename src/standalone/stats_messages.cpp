#include "standalone/stats_messages.hpp"

#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "common/base/version.hpp"

namespace portunus::standalone {
namespace {

using Json = nlohmann::ordered_json;

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

std::string id_text(RuleId id) {
  return std::to_string(id.value);
}

std::string listen_text(const model::RuleSpec& spec) {
  const std::string first = std::to_string(spec.listen_port);
  return spec.ports == 1 ? first : first + "-" + std::to_string(spec.last_listen_port());
}

Json target_json(const model::Target& target) {
  const auto proxy = target.proxy ? Json(model::proxy_version_name(*target.proxy)) : Json(nullptr);
  return {{"host", target.host},
          {"port", target.port},
          {"priority", target.priority},
          {"proxy_protocol", proxy}};
}

Json rule_json(const StandaloneRule& rule) {
  const model::RuleSpec& spec = rule.spec;
  const bool udp = spec.protocol == model::Protocol::udp;
  Json targets = Json::array();
  for (const model::Target& target : spec.targets) targets.push_back(target_json(target));
  return {{"id", id_text(spec.id)},
          {"name", spec.label},
          {"proto", model::protocol_name(spec.protocol)},
          {"listen", listen_text(spec)},
          {"targets", std::move(targets)},
          {"splice_capable", !udp},
          {"udp_max_flows", udp ? Json(rule.udp.max_flows) : Json(nullptr)}};
}

/// The entries of a list by their rule.
template <class Entry>
class ByRule {
 public:
  explicit ByRule(std::span<const Entry> entries) {
    map_.reserve(entries.size());
    for (const Entry& entry : entries) map_.emplace(entry.rule, &entry);
  }
  const Entry& of(RuleId id) const {
    static const Entry kNothing{};
    const auto it = map_.find(id);
    return it == map_.end() ? kNothing : *it->second;
  }

 private:
  std::unordered_map<RuleId, const Entry*> map_;
};

Json counters_json(RuleId id, const model::RuleTraffic& traffic, const model::LocalTraffic& local) {
  return {{"id", id_text(id)},
          {"in", traffic.bytes_in},
          {"out", traffic.bytes_out},
          {"conns_active", traffic.active_connections},
          {"conns_total", local.connections_total},
          {"datagrams_in", traffic.datagrams_in},
          {"datagrams_out", traffic.datagrams_out},
          {"flows_active", traffic.active_flows},
          {"target_failovers_total", traffic.target_failovers},
          {"err",
           {// A rule whose port is taken never runs, so a running daemon has none to count.
            {"port_in_use", 0},
            {"upstream_connect_failed", local.upstream_connect_failed},
            {"icmp_evict", local.icmp_evict},
            {"emsgsize", local.emsgsize},
            {"wouldblock", local.wouldblock},
            {"addflow_dropped", local.addflow_dropped},
            {"dns_failures", traffic.dns_failures},
            {"flows_dropped_overflow", traffic.flows_dropped_overflow},
            {"flows_pending_drops", local.flows_pending_drops},
            {"bandwidth_dropped_in", local.bandwidth_dropped_in},
            {"bandwidth_dropped_out", local.bandwidth_dropped_out},
            {"send_dropped", local.send_dropped}}}};
}

/// Names come from a file, which may hold anything that is TOML.
std::string line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string hello_line(const DaemonInfo& daemon, std::span<const StandaloneRule> rules) {
  Json list = Json::array();
  for (const StandaloneRule& rule : rules) list.push_back(rule_json(rule));
  return line({{"v", 1},
               {"daemon_version", kVersion},
               {"daemon_started_at_ms", to_unix_millis(daemon.started_at)},
               {"refresh_ms", daemon.refresh_ms},
               {"rules", std::move(list)}});
}

std::string snapshot_line(const SnapshotInput& input, std::span<const StandaloneRule> rules) {
  Json list = Json::array();
  const ByRule traffic(input.traffic);
  const ByRule local(input.local);
  for (const StandaloneRule& rule : rules) {
    const RuleId id = rule.spec.id;
    list.push_back(counters_json(id, traffic.of(id), local.of(id)));
  }
  return line({{"t_ms", to_unix_millis(input.now)},
               {"uptime_ms", input.uptime.count()},
               {"seq", input.sequence},
               {"process",
                {{"fd_open", or_null(input.process.fd_open)},
                 {"fd_limit", or_null(input.process.fd_limit)},
                 {"rss_bytes", or_null(input.process.rss_bytes)}}},
               {"r", std::move(list)}});
}

}  // namespace portunus::standalone
