#include <cstdint>

#include "server/metrics/family.hpp"

namespace portunus::server::metrics {

void add_quota_families(std::span<const quotas::QuotaNumbers> quotas, Families& families) {
  using prometheus::MetricType;
  Family used("portunus_traffic_quota_bytes_used", "Bytes used in the current period.",
              MetricType::Gauge);
  Family limit("portunus_traffic_quota_bytes_limit", "Monthly budget in bytes.", MetricType::Gauge);
  Family exhausted("portunus_traffic_quota_exhausted", "Whether the budget is used up.",
                   MetricType::Gauge);
  Family exhaustions("portunus_traffic_quota_exhausted_total", "Times the budget was used up.",
                     MetricType::Counter);
  Family resets("portunus_traffic_quota_period_resets_total", "Billing periods begun.",
                MetricType::Counter);
  for (const quotas::QuotaNumbers& quota : quotas) {
    const Labels labels = {{"client", quota.client_name}, {"user", quota.user_id}};
    used.add(labels, static_cast<std::uint64_t>(quota.bytes_used));
    limit.add(labels, static_cast<std::uint64_t>(quota.bytes_limit));
    exhausted.add(labels, std::uint64_t{quota.exhausted ? 1U : 0U});
    exhaustions.add_counted(labels, quota.exhaustions);
    resets.add_counted(labels, quota.period_resets);
  }
  std::move(used).append_to(families);
  std::move(limit).append_to(families);
  std::move(exhausted).append_to(families);
  std::move(exhaustions).append_to(families);
  std::move(resets).append_to(families);
}

}  // namespace portunus::server::metrics
