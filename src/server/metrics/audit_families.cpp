#include "server/metrics/family.hpp"

namespace portunus::server::metrics {

void add_audit_families(const Snapshot& snapshot, Families& families) {
  using prometheus::MetricType;
  Family drops("portunus_audit_buffer_drops_total", "Audit entries lost.", MetricType::Counter);
  drops.add({}, snapshot.audit_drops);
  std::move(drops).append_to(families);

  Family lag("portunus_audit_durable_writer_lag_seconds",
             "Age of the oldest audit entry that is not committed.", MetricType::Gauge);
  lag.add({}, snapshot.audit_lag_seconds);
  std::move(lag).append_to(families);
}

}  // namespace portunus::server::metrics
