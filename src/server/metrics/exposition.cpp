#include "server/metrics/exposition.hpp"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <sstream>
#include <utility>

#include "server/metrics/family.hpp"

namespace portunus::server::metrics {
namespace {

using prometheus::MetricType;

void add_server_families(const Snapshot& snapshot, Families& families) {
  Family failures("portunus_auth_failures_total", "Control-plane bearers refused, by reason.",
                  MetricType::Counter);
  for (const auto& [reason, count] : snapshot.auth_failures) {
    failures.add({{"reason", reason}}, count);
  }
  std::move(failures).append_to(families);

  Family clients("portunus_clients_connected", "Whether an enrolled client's stream is up.",
                 MetricType::Gauge);
  for (const Snapshot::Client& client : snapshot.clients) {
    clients.add({{"client", client.name}}, std::uint64_t{client.connected ? 1U : 0U});
  }
  std::move(clients).append_to(families);

  Family requests("portunus_operator_requests_total", "Operator API requests by outcome.",
                  MetricType::Counter);
  for (const auto& [key, count] : snapshot.requests) {
    requests.add({{"outcome", key.first}, {"reason", key.second}}, count);
  }
  std::move(requests).append_to(families);

  Family busy("portunus_store_busy_total", "Times the store was busy.", MetricType::Counter);
  busy.add({}, snapshot.store_busy);
  std::move(busy).append_to(families);
}

}  // namespace

std::string render(const Snapshot& snapshot) {
  Families families;
  add_server_families(snapshot, families);
  add_rule_families(snapshot, families);
  add_sni_families(snapshot, families);
  add_limit_families(snapshot, families);
  add_quota_families(snapshot, families);
  add_audit_families(snapshot, families);
  std::ranges::sort(families, {}, &prometheus::MetricFamily::name);

  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, families);
  return std::move(text).str();
}

}  // namespace portunus::server::metrics
