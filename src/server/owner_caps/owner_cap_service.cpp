#include "server/owner_caps/owner_cap_service.hpp"

#include <map>
#include <set>
#include <utility>

#include "common/async/shielded.hpp"
#include "common/log/logger.hpp"
#include "common/model/client_version.hpp"
#include "common/model/names.hpp"
#include "server/owner_caps/errc.hpp"
#include "server/store/client_store.hpp"

namespace portunus::server::owner_caps {

using store::ClientRef;
using store::Connection;
using store::OwnerLimitRow;

namespace {

Result<ClientRef> resolve_in(Connection& connection, const std::string& client) {
  return store::resolve_client_ref(connection, client, Errc::client_not_found,
                                   Errc::client_name_invalid);
}

Result<> check_caps(const model::RateLimit& limit) {
  const auto fault = model::check_rate_limit(limit);
  if (!fault) return {};
  switch (*fault) {
    case model::RateLimitFault::cap_zero:
      return fail(Errc::cap_zero);
    case model::RateLimitFault::burst_without_rate:
      return fail(Errc::burst_without_rate);
    case model::RateLimitFault::burst_range:
      return fail(Errc::burst_range);
  }
  return {};
}

bool can_own(std::string_view owner_id) {
  return model::is_user_id(owner_id) || model::is_reserved_user_id(owner_id);
}

}  // namespace

void OwnerCapService::hydrate() {
  auto rows =
      store_.read_now([](Connection& connection) { return store::list_owner_limits(connection); });
  if (!rows) {
    log::log(log::Event::owner_cap_hydrate_failed, {{"error", rows.error().text()}});
    return;
  }
  std::set<std::string> owners;
  std::set<std::string> clients;
  for (OwnerLimitRow& row : *rows) {
    owners.insert(row.owner_id);
    clients.insert(row.client.key());
    OwnerLimitRow& entry = book_.at(row.client, row.owner_id);
    entry = std::move(row);
  }
  log::log(log::Event::owner_cap_hydrated,
           {{"owners", owners.size()}, {"clients", clients.size()}});
}

async::Task<Result<ClientRef>> OwnerCapService::resolve(std::string client) {
  auto find = [client](Connection& connection) { return resolve_in(connection, client); };
  co_return co_await store_.read(std::move(find));
}

async::Task<Result<std::vector<store::OwnerOnClient>>> OwnerCapService::owners(std::string client) {
  auto load = [client](Connection& connection) -> Result<std::vector<store::OwnerOnClient>> {
    const Result<ClientRef> ref = resolve_in(connection, client);
    if (!ref) return fail(ref.error());
    return store::list_owners(connection, *ref);
  };
  co_return co_await store_.read(std::move(load));
}

async::Task<Result<OwnerLimitRow>> OwnerCapService::get(std::string client, std::string owner_id) {
  const Result<ClientRef> ref = co_await resolve(std::move(client));
  if (!ref) co_return fail(ref.error());
  const OwnerLimitRow* row = book_.find(*ref, owner_id);
  if (row == nullptr) co_return fail(Errc::owner_rate_limit_not_found);
  co_return *row;
}

async::Task<Result<OwnerLimitRow>> OwnerCapService::put(std::string client, std::string owner_id,
                                                        WantedCaps wanted) {
  return async::shielded(write(std::move(client), std::move(owner_id), std::move(wanted)));
}

async::Task<Result<>> OwnerCapService::remove(std::string client, std::string owner_id) {
  return async::shielded(erase(std::move(client), std::move(owner_id)));
}

async::Task<Result<OwnerLimitRow>> OwnerCapService::write(std::string client, std::string owner_id,
                                                          WantedCaps wanted) {
  const Result<ClientRef> seen = co_await resolve(client);
  if (!seen) co_return fail(seen.error());
  if (!can_own(owner_id)) co_return fail({Errc::invalid_user_id, "\"" + owner_id + "\""});
  if (wanted.reserved_key) co_return fail(Errc::burst_unsupported);
  const auto version =
      seen->client_id && sink_ != nullptr ? sink_->client_version(*seen->client_id) : std::nullopt;
  if (!version || !model::supports(*version, model::kNeedsRateLimit)) {
    co_return fail({Errc::unsupported_by_client, seen->client_name});
  }
  if (const auto sound = check_caps(wanted.limit); !sound) co_return fail(sound.error());

  auto change = [client, owner_id, limit = wanted.limit,
                 now = clock_.now()](Connection& connection) -> Result<OwnerLimitRow> {
    Result<ClientRef> ref = resolve_in(connection, client);
    if (!ref) return fail(ref.error());
    OwnerLimitRow row{std::move(*ref), owner_id, limit, now};
    if (const auto put = store::put_owner_limit(connection, row); !put) return fail(put.error());
    return row;
  };
  Result<OwnerLimitRow> row = co_await store_.write(std::move(change));
  if (!row) co_return row;
  OwnerLimitRow& entry = book_.at(row->client, owner_id);
  entry = *row;
  log::log(log::Event::owner_cap_upserted,
           {{"client_name", row->client.client_name},
            {"owner_id", owner_id},
            {"updated_at_unix_ms", to_unix_millis(row->updated_at)}});
  tell(row->client, owner_id, "set");
  co_return row;
}

async::Task<Result<>> OwnerCapService::erase(std::string client, std::string owner_id) {
  auto change = [client, owner_id](Connection& connection) -> Result<std::pair<ClientRef, bool>> {
    const Result<ClientRef> ref = resolve_in(connection, client);
    if (!ref) return fail(ref.error());
    const auto removed = store::remove_owner_limit(connection, *ref, owner_id);
    if (!removed) return fail(removed.error());
    return std::pair(*ref, *removed);
  };
  const auto done = co_await store_.write(std::move(change));
  if (!done) co_return fail(done.error());
  const auto& [ref, removed] = *done;
  drop(ref, owner_id);
  if (removed) {
    log::log(log::Event::owner_cap_deleted,
             {{"client_name", ref.client_name}, {"owner_id", owner_id}});
  }
  tell(ref, owner_id, "remove");
  co_return Result<>{};
}

void OwnerCapService::drop(const ClientRef& client, std::string_view owner_id) {
  book_.erase(client, owner_id);
  if (client.client_id) totals_.remove(*client.client_id, owner_id);
}

void OwnerCapService::tell(const ClientRef& client, std::string_view owner_id,
                           std::string_view action) {
  if (!client.client_id || sink_ == nullptr) return;
  if (sink_->owner_caps_changed(*client.client_id, owner_id) == OwnerCapSink::Told::refused) {
    log::log(log::Event::owner_cap_push_failed, {{"client_name", client.client_name},
                                                 {"owner_id", owner_id},
                                                 {"action", action},
                                                 {"error", "the session took no more messages"}});
  }
}

std::vector<std::string> OwnerCapService::owners_of(std::string_view client_id) const {
  std::vector<std::string> out;
  book_.each_of(client_id, [&out](const OwnerLimitRow& row) { out.push_back(row.owner_id); });
  return out;
}

const model::RateLimit* OwnerCapService::caps(std::string_view client_id,
                                              std::string_view owner_id) const {
  const OwnerLimitRow* row = book_.find(client_id, owner_id);
  return row == nullptr ? nullptr : &row->limit;
}

void OwnerCapService::on_report(std::string_view client_id,
                                std::span<const model::OwnerTraffic> owners) {
  std::map<std::string_view, const model::LimitTraffic*> seen;
  for (const model::OwnerTraffic& owner : owners) seen[owner.owner_id] = &owner.limit;
  book_.each_of(client_id, [&](const OwnerLimitRow& row) {
    const auto entry = seen.find(row.owner_id);
    totals_.report(client_id, row.owner_id, entry == seen.end() ? nullptr : entry->second);
  });
}

void OwnerCapService::on_collected(const ClientRef& client, std::string_view owner_id) {
  drop(client, owner_id);
  log::log(log::Event::owner_cap_gc_swept,
           {{"client_name", client.client_name}, {"owner_id", owner_id}});
  tell(client, owner_id, "remove");
}

void OwnerCapService::on_client_enrolled(std::string_view client_id, std::string_view name) {
  book_.bind(name, client_id);
}

void OwnerCapService::on_client_changed(std::string_view client_id, std::string_view name) {
  book_.rename(client_id, name);
}

void OwnerCapService::on_client_removed(std::string_view client_id) {
  book_.unbind(client_id);
  totals_.forget(client_id);
}

std::vector<OwnerCapNumbers> OwnerCapService::numbers() const {
  std::vector<OwnerCapNumbers> out;
  for (const auto& [key, row] : book_.rows()) {
    const OwnerNumbers* numbers = totals_.find(key.first, row.owner_id);
    if (numbers == nullptr) continue;
    out.push_back({row.client.client_name, row.owner_id, numbers->total});
  }
  return out;
}

}  // namespace portunus::server::owner_caps
