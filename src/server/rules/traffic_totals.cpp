#include "server/rules/traffic_totals.hpp"

#include <utility>

#include "common/base/saturating.hpp"

namespace portunus::server::rules {
namespace {

constexpr std::string_view kUnknownOwner = "_unknown";

/// What an edge says per port and per target, as far as the rule has them: ascending, each once,
/// with the rule's own names, so that no report can make an answer say anything about a rule that
/// is not so.
model::RuleTraffic within(const model::RuleSpec& spec, const model::RuleTraffic& traffic) {
  std::map<std::uint16_t, model::PortTraffic> ports;
  for (const model::PortTraffic& port : traffic.ports) {
    if (port.listen_port >= spec.listen_port && port.listen_port <= spec.last_listen_port()) {
      ports.insert_or_assign(port.listen_port, port);
    }
  }
  std::map<std::uint32_t, model::TargetTraffic> targets;
  for (const model::TargetTraffic& target : traffic.targets) {
    if (target.index < spec.targets.size()) targets.insert_or_assign(target.index, target);
  }
  model::RuleTraffic out = traffic;
  out.ports.clear();
  for (auto& [number, port] : ports) out.ports.push_back(port);
  out.targets.clear();
  for (auto& [index, target] : targets) {
    const model::Target& row = spec.targets[index];
    target.host = row.host;
    target.port = row.port;
    target.priority = row.priority;
    out.targets.push_back(std::move(target));
  }
  return out;
}

}  // namespace

void TrafficTotals::start_session(std::string_view client_id, std::span<const RuleId> rules) {
  for (const RuleId id : rules) {
    if (const auto it = live_.find(id); it != live_.end()) it->second.counters.start_session();
  }
  const auto gone = gone_.find(client_id);
  if (gone == gone_.end()) return;
  for (auto& [id, rule] : gone->second.rules) rule.baseline = {};
}

ByteTotals TrafficTotals::report(const store::RuleRow& rule, const model::RuleTraffic& traffic,
                                 SystemTime now) {
  RuleNumbers& numbers = live_[rule.spec.id];
  numbers.client_name = rule.client_name;
  numbers.owner_id = rule.spec.owner_id;
  numbers.latest = within(rule.spec, traffic);
  numbers.updated_at = now;
  numbers.limited = numbers.limited || rule.spec.rate_limit.has_value();
  const model::RuleTraffic added = numbers.counters.report(traffic);
  return {added.bytes_in, added.bytes_out};
}

void TrafficTotals::report_late(std::string_view client_id, const model::RuleTraffic& traffic) {
  const auto client = gone_.find(client_id);
  if (client == gone_.end()) return;
  const auto it = client->second.rules.find(traffic.rule);
  if (it == client->second.rules.end()) return;
  Gone& gone = it->second;
  const ByteTotals added{model::rise(gone.baseline.in, traffic.bytes_in),
                         model::rise(gone.baseline.out, traffic.bytes_out)};
  gone.baseline = {traffic.bytes_in, traffic.bytes_out};
  if (added.in == 0 && added.out == 0) return;
  const BytesKey key{gone.client_name, std::string(kUnknownOwner), traffic.rule};
  ByteTotals& totals = kept_[key];
  add_saturating(totals.in, added.in);
  add_saturating(totals.out, added.out);
}

void TrafficTotals::remove(const store::RuleRow& rule) {
  const RuleId id = rule.spec.id;
  Gone gone{rule.client_name, {}};
  if (const auto it = live_.find(id); it != live_.end()) {
    const auto& counters = it->second.counters;
    gone.baseline = {counters.baseline().bytes_in, counters.baseline().bytes_out};
    const ByteTotals bytes{counters.total().bytes_in, counters.total().bytes_out};
    if (bytes.in > 0 || bytes.out > 0) {
      kept_.insert_or_assign({rule.client_name, rule.spec.owner_id, id}, bytes);
    }
    live_.erase(it);
  }
  if (!rule.client_id) return;  // no edge has had it
  GoneOfClient& client = gone_[*rule.client_id];
  if (!client.rules.try_emplace(id, std::move(gone)).second) return;
  client.order.push_back(id);
  if (client.order.size() <= kMostGone) return;
  client.rules.erase(client.order.front());
  client.order.pop_front();
}

void TrafficTotals::rename(RuleId id, std::string_view client_name) {
  if (const auto it = live_.find(id); it != live_.end()) it->second.client_name = client_name;
}

void TrafficTotals::forget(std::string_view client_id) {
  if (const auto it = gone_.find(client_id); it != gone_.end()) gone_.erase(it);
}

std::size_t TrafficTotals::gone(std::string_view client_id) const {
  const auto it = gone_.find(client_id);
  return it == gone_.end() ? 0 : it->second.rules.size();
}

const RuleNumbers* TrafficTotals::find(RuleId id) const {
  const auto it = live_.find(id);
  return it == live_.end() ? nullptr : &it->second;
}

}  // namespace portunus::server::rules
