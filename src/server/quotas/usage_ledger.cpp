#include "server/quotas/usage_ledger.hpp"

#include "common/base/saturating.hpp"
#include "server/store/client_store.hpp"
#include "server/store/quota_store.hpp"
#include "server/store/store.hpp"
#include "server/store/traffic_bucket.hpp"
#include "server/store/traffic_sample_store.hpp"

namespace portunus::server::quotas {
namespace {

/// Enough for any time that a store needs to come back; a bound, because it may never.
constexpr std::size_t kMostMinutes = 60;

Result<store::ClientRef> present(store::Connection& connection, const store::ClientRef& client) {
  if (!client.client_id) return client;
  const auto row = store::find_client(connection, *client.client_id);
  if (!row) return fail(row.error());
  if (!*row) return store::ClientRef{std::nullopt, client.client_name};
  return store::ClientRef{client.client_id, (*row)->name};
}

Result<Booked> book_owner(store::Connection& connection, const store::ClientRef& client,
                          const std::string& user_id, const UnbookedUsage::Minutes& minutes,
                          std::int64_t now) {
  Booked out{.user_id = user_id, .bytes = 0, .quota = {}, .effect = {}, .sample_error = {}};
  for (const auto& [start, bytes] : minutes) {
    add_saturating(out.bytes, bytes.total());
    const auto added =
        store::add_minute_sample(connection, client, user_id, start, bytes.in, bytes.out);
    if (added) continue;
    // Outside of the transaction the quota would be charged now, and again when this is retried.
    if (!store::transaction_stands(connection)) return fail(added.error());
    out.sample_error = added.error();
  }
  auto quota = store::find_quota(connection, client, user_id);
  if (!quota) return fail(quota.error());
  if (!*quota) return out;
  out.effect = roll(**quota, now);
  out.effect += book(**quota, out.bytes, now);
  if (const auto written = store::update_quota(connection, **quota); !written) {
    return fail(written.error());
  }
  out.quota = std::move(*quota);
  return out;
}

}  // namespace

std::uint64_t UnbookedUsage::Bytes::total() const {
  std::uint64_t sum = in;
  add_saturating(sum, out);
  return sum;
}

UnbookedUsage::Bytes& UnbookedUsage::Bytes::operator+=(const Bytes& other) {
  add_saturating(in, other.in);
  add_saturating(out, other.out);
  return *this;
}

void UnbookedUsage::add(std::int64_t now, std::span<const model::OwnerUsage> usage) {
  for (const model::OwnerUsage& entry : usage) {
    if (entry.owner_id.empty() || (entry.bytes_in == 0 && entry.bytes_out == 0)) continue;
    Minutes& minutes = owners_[entry.owner_id];
    minutes[store::minute_of(now)] += Bytes{entry.bytes_in, entry.bytes_out};
    if (minutes.size() > kMostMinutes) {
      const Bytes earliest = minutes.begin()->second;
      minutes.erase(minutes.begin());
      minutes.begin()->second += earliest;
    }
  }
}

void UnbookedUsage::add(const UnbookedUsage& other) {
  for (const auto& [owner, minutes] : other.owners_) {
    for (const auto& [start, bytes] : minutes) owners_[owner][start] += bytes;
  }
}

Result<std::vector<Booked>> book_usage(store::Connection& connection,
                                       const store::ClientRef& client, const UnbookedUsage& usage,
                                       std::int64_t now) {
  const auto key = present(connection, client);
  if (!key) return fail(key.error());
  std::vector<Booked> out;
  for (const auto& [user_id, minutes] : usage.owners()) {
    auto booked = book_owner(connection, *key, user_id, minutes, now);
    if (!booked) return fail(booked.error());
    out.push_back(std::move(*booked));
  }
  return out;
}

}  // namespace portunus::server::quotas
