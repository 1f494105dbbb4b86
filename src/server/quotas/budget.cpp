#include "server/quotas/budget.hpp"

#include <limits>

#include "server/quotas/period.hpp"

namespace portunus::server::quotas {
namespace {

/// After every write: exhausted is exactly used >= limit, since the first such write (6.4).
Effect settle(store::QuotaRow& quota, std::int64_t now) {
  quota.updated_at = now;
  if (quota.bytes_used < quota.monthly_bytes) {
    quota.exhausted_at.reset();
    return {};
  }
  if (quota.exhausted_at) return {};
  quota.exhausted_at = now;
  return {.exhausted = true};
}

}  // namespace

Effect open_quota(store::QuotaRow& quota, std::int64_t monthly_bytes, std::int64_t anchor,
                  std::int64_t now) {
  quota.monthly_bytes = monthly_bytes;
  quota.billing_anchor = anchor;
  quota.period_started_at = anchor;
  quota.bytes_used = 0;
  quota.exhausted_at.reset();
  quota.created_at = now;
  return settle(quota, now);
}

Effect set_limit(store::QuotaRow& quota, std::int64_t monthly_bytes, std::int64_t now) {
  quota.monthly_bytes = monthly_bytes;
  return settle(quota, now);
}

Effect clear_usage(store::QuotaRow& quota, std::int64_t now) {
  quota.bytes_used = 0;
  return settle(quota, now);
}

Effect roll(store::QuotaRow& quota, std::int64_t now) {
  const std::int64_t start = period_containing(quota.billing_anchor, quota.period_started_at, now);
  if (start == quota.period_started_at) return {};
  quota.period_started_at = start;
  quota.bytes_used = 0;
  Effect effect = settle(quota, now);
  effect.rolled = true;
  return effect;
}

Effect book(store::QuotaRow& quota, std::uint64_t bytes, std::int64_t now) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  const auto room = static_cast<std::uint64_t>(kMost - quota.bytes_used);
  quota.bytes_used = bytes < room ? quota.bytes_used + static_cast<std::int64_t>(bytes) : kMost;
  return settle(quota, now);
}

std::int64_t period_end(const store::QuotaRow& quota) {
  return period_end(quota.billing_anchor, quota.period_started_at);
}

std::int64_t remaining(const store::QuotaRow& quota) {
  return quota.monthly_bytes - quota.bytes_used;
}

model::QuotaState state_of(const store::QuotaRow& quota) {
  return {.monthly_bytes = quota.monthly_bytes,
          .budget_remaining_bytes = remaining(quota),
          .period_started_at = quota.period_started_at,
          .period_ends_at = period_end(quota),
          .exhausted = quota.exhausted_at.has_value()};
}

}  // namespace portunus::server::quotas
