#include <algorithm>
#include <utility>

#include "common/log/logger.hpp"
#include "server/quotas/period.hpp"
#include "server/quotas/quota_service_impl.hpp"
#include "server/store/quota_store.hpp"

// What happens to quotas without an operator: usage of the reports, and periods that begin
// (store-and-quotas 6.2, 6.3).

namespace portunus::server::quotas {

using store::ClientRef;
using store::Connection;
using store::QuotaRow;

namespace {

/// Periods begun by one transaction, so that the first of a month keeps no other write waiting.
constexpr std::size_t kRollsPerWrite = 256;

bool is_due(const QuotaRow& quota, std::int64_t now) {
  return period_containing(quota.billing_anchor, quota.period_started_at, now) !=
         quota.period_started_at;
}

/// A row that went or changed meanwhile is passed over; the next check sees it as it is then.
Result<std::vector<Change>> roll_in(Connection& connection, const std::vector<QuotaRow>& due,
                                    std::int64_t now) {
  std::vector<Change> out;
  for (const QuotaRow& seen : due) {
    auto row = store::find_quota(connection, seen.client, seen.user_id);
    if (!row) return fail(row.error());
    if (!*row) continue;
    const Effect effect = roll(**row, now);
    if (!effect.rolled) continue;
    if (const auto done = store::update_quota(connection, **row); !done) return fail(done.error());
    out.push_back({std::move(**row), effect});
  }
  return out;
}

}  // namespace

Result<> QuotaService::Impl::load() {
  auto all = [at = now()](Connection& connection) -> Result<std::vector<Change>> {
    auto rows = store::list_quotas(connection);
    if (!rows) return fail(rows.error());
    std::vector<Change> out;
    for (QuotaRow& row : *rows) {
      const Effect effect = roll(row, at);
      if (effect.rolled) {
        if (const auto done = store::update_quota(connection, row); !done) {
          return fail(done.error());
        }
      }
      out.push_back({std::move(row), effect});
    }
    return out;
  };
  Result<std::vector<Change>> loaded = store_.write_now(std::move(all));
  if (!loaded) return fail(loaded.error());
  std::size_t advanced = 0;
  for (Change& change : *loaded) {
    if (change.effect.rolled) ++advanced;
    apply(std::move(change), Push::rollover);
  }
  if (advanced > 0) log::log(log::Event::traffic_rollover_tick, {{"advanced", advanced}});
  return {};
}

async::Task<Result<std::size_t>> QuotaService::Impl::roll_all(std::vector<QuotaRow> due) {
  std::size_t advanced = 0;
  for (auto from = due.begin(); from != due.end();) {
    const auto to = std::min(from + kRollsPerWrite, due.end());
    auto change = [some = std::vector<QuotaRow>(from, to), at = now()](Connection& connection) {
      return roll_in(connection, some, at);
    };
    Result<std::vector<Change>> rolled = co_await store_.write(std::move(change));
    if (!rolled) co_return fail(rolled.error());
    advanced += rolled->size();
    for (Change& each : *rolled) apply(std::move(each), Push::rollover);
    from = to;
  }
  co_return advanced;
}

async::Task<> QuotaService::Impl::check_periods() {
  std::vector<QuotaRow> due;
  for (const auto& [key, entry] : book_.entries().rows()) {
    if (is_due(entry, now())) due.push_back(entry);
  }
  if (due.empty()) co_return;
  const Result<std::size_t> advanced = co_await roll_all(std::move(due));
  if (!advanced) {
    log::log(log::Event::traffic_rollover_tick_failed, {{"error", advanced.error().text()}});
  } else if (*advanced > 0) {
    log::log(log::Event::traffic_rollover_tick, {{"advanced", *advanced}});
  }
}

async::Task<> QuotaService::Impl::check_for_ever(std::chrono::steady_clock::duration interval) {
  while (!stopping_) {
    tick_.expires_after(interval);
    const auto [ec] = co_await tick_.async_wait(async::kTuple);
    if (ec || stopping_) co_return;
    co_await check_periods();
    // What the store refused, of edges that may not report again.
    for (auto& [client_id, pending] : pending_) start_writing(client_id, pending);
  }
}

void QuotaService::Impl::on_usage(std::string_view client_id, std::string_view client_name,
                                  std::span<const model::OwnerUsage> usage) {
  if (usage.empty()) return;
  Pending& pending = pending_[std::string(client_id)];
  pending.client_name = client_name;
  pending.usage.add(now(), usage);
  start_writing(std::string(client_id), pending);
}

void QuotaService::Impl::start_writing(const std::string& client_id, Pending& pending) {
  if (pending.writing || stopping_) return;
  pending.writing = true;
  gate_.spawn(write_usage(client_id));
}

async::Task<> QuotaService::Impl::write_usage(std::string client_id) {
  Pending& pending = pending_.find(client_id)->second;
  while (!pending.usage.empty()) {
    const bool booked = co_await book_pending(client_id, pending);
    if (!booked) {
      pending.writing = false;
      co_return;
    }
  }
  pending_.erase(client_id);
}

/// False when the store refused; the usage is as it was.
async::Task<bool> QuotaService::Impl::book_pending(const std::string& client_id, Pending& pending) {
  const ClientRef client{client_id, pending.client_name};
  const UnbookedUsage usage = std::exchange(pending.usage, UnbookedUsage());
  auto change = [client, usage, at = now()](Connection& connection) {
    return book_usage(connection, client, usage, at);
  };
  Result<std::vector<Booked>> booked = co_await store_.write(std::move(change));
  if (!booked) {
    pending.usage.add(usage);
    log_not_booked(usage, client.client_name, booked.error());
    co_return false;
  }
  for (Booked& each : *booked) apply_booked(client, std::move(each));
  co_return true;
}

void QuotaService::Impl::apply_booked(const ClientRef& client, Booked booked) {
  const bool vanished = !booked.quota && book_.find(client, booked.user_id) != nullptr;
  if (vanished) {
    log_vanished(booked, client.client_name);
    book_.erase(client, booked.user_id);
    tell(client, booked.user_id, Push::remove);
    return;
  }
  log_booked(booked, client.client_name);
  if (!booked.quota) return;
  const Effect effect = booked.effect;
  apply({std::move(*booked.quota), effect}, effect.rolled ? Push::rollover : Push::exhaust);
}

async::Task<bool> QuotaService::Impl::drain(std::chrono::steady_clock::duration grace) {
  const bool ended = co_await gate_.drain(grace);
  if (!ended) co_return false;
  // The last reports, and one more attempt for what the store refused.
  for (auto& [client_id, pending] : pending_) {
    const bool booked = co_await book_pending(client_id, pending);
    if (!booked) break;
  }
  co_return true;
}

}  // namespace portunus::server::quotas
