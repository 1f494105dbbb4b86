#include "server/metrics/metrics.hpp"

#include <chrono>
#include <utility>
#include <vector>

#include "common/async/yield.hpp"
#include "server/metrics/exposition.hpp"

namespace portunus::server::metrics {
namespace {

void add_live_rule(RuleId id, const rules::RuleNumbers& numbers, Snapshot& snapshot) {
  const model::RuleTraffic& latest = numbers.latest;
  snapshot.rules.push_back({.client = numbers.client_name,
                            .owner = numbers.owner_id,
                            .rule = id.value,
                            .live = true,
                            .total = numbers.counters.total(),
                            .active_connections = latest.active_connections,
                            .active_flows = latest.active_flows});
  model::LimitTraffic limit = numbers.counters.total().limit;
  limit.active = latest.limit.active;
  snapshot.limits.push_back(
      {numbers.client_name, numbers.owner_id, id.value, limit, numbers.limited});
}

void add_rules(const rules::RuleService& rules, Snapshot& snapshot) {
  const rules::TrafficTotals& traffic = rules.traffic();
  snapshot.rules.reserve(traffic.live().size() + traffic.kept().size());
  snapshot.limits.reserve(traffic.live().size());
  for (const auto& [id, numbers] : traffic.live()) add_live_rule(id, numbers, snapshot);
  for (const auto& [key, bytes] : traffic.kept()) {
    Snapshot::Rule gone{.client = key.client_name, .owner = key.owner_id, .rule = key.rule.value};
    gone.total.bytes_in = bytes.in;
    gone.total.bytes_out = bytes.out;
    snapshot.rules.push_back(std::move(gone));
  }
  for (const auto& [key, numbers] : rules.sni_ports().all()) {
    snapshot.sni_ports.push_back({numbers.client_name, key.second, numbers.counters.total()});
  }
  snapshot.sni_routes_active = rules.active_sni_routes();
}

}  // namespace

async::Task<Result<std::string>> Metrics::scrape() {
  const auto clients = co_await sources_.clients.list();
  if (!clients) co_return fail(clients.error());

  Snapshot snapshot;
  for (const auth::ClientView& client : *clients) {
    snapshot.clients.push_back({client.row.name, client.session.has_value()});
  }
  add_rules(sources_.rules, snapshot);
  for (owner_caps::OwnerCapNumbers& owner : sources_.owner_caps.numbers()) {
    snapshot.limits.push_back({.client = std::move(owner.client_name),
                               .owner = std::move(owner.owner_id),
                               .rule = std::nullopt,
                               .total = owner.total,
                               .reported = true});
  }
  snapshot.quotas = sources_.quotas.numbers();
  snapshot.auth_failures = sources_.auth_failures();
  snapshot.requests = requests_.counts();
  snapshot.store_busy = sources_.store.busy_total();
  snapshot.audit_drops = sources_.audit.drops();
  snapshot.audit_lag_seconds = std::chrono::duration<double>(sources_.audit.lag()).count();
  Exposition exposition(std::move(snapshot));
  while (exposition.step()) {
    co_await async::yield();
  }
  co_return exposition.take();
}

}  // namespace portunus::server::metrics
