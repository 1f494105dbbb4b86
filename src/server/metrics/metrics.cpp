#include "server/metrics/metrics.hpp"

#include <utility>
#include <vector>

#include "server/metrics/exposition.hpp"

namespace portunus::server::metrics {

async::Task<Result<std::string>> Metrics::scrape() {
  const auto clients = co_await sources_.clients.list();
  if (!clients) co_return fail(clients.error());

  Snapshot snapshot;
  for (const auth::ClientView& client : *clients) {
    snapshot.clients.push_back({client.row.name, client.session.has_value()});
  }
  for (const auto& [key, numbers] : sources_.rules.totals()) {
    snapshot.rules.push_back({.client = key.client_name,
                              .owner = key.owner_id,
                              .rule = key.rule.value,
                              .bytes_in = numbers.total_bytes_in,
                              .bytes_out = numbers.total_bytes_out,
                              .live = numbers.live,
                              .active_connections = numbers.latest.active_connections});
  }
  snapshot.auth_failures = sources_.auth_failures();
  snapshot.requests = requests_.counts();
  snapshot.store_busy = sources_.store.busy_total();
  co_return render(snapshot);
}

}  // namespace portunus::server::metrics
