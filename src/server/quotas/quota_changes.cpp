#include <algorithm>
#include <utility>

#include "common/log/logger.hpp"
#include "common/model/client_version.hpp"
#include "server/quotas/errc.hpp"
#include "server/quotas/period.hpp"
#include "server/quotas/quota_service_impl.hpp"
#include "server/store/client_store.hpp"
#include "server/store/grant_store.hpp"
#include "server/store/quota_store.hpp"
#include "server/store/user_store.hpp"

// What an operator does to a quota (http-api 10, store-and-quotas 6.5).

namespace portunus::server::quotas {

using store::ClientRef;
using store::Connection;
using store::QuotaRow;

namespace {

Result<ClientRef> resolve_in(Connection& connection, const std::string& client) {
  return store::resolve_client_ref(connection, client, Errc::client_not_found,
                                   Errc::invalid_client_name);
}

/// Whether the user may have a quota on the client: a grant of his covers it, or he is a superadmin
/// and needs none (http-api 4).
Result<bool> is_target(Connection& connection, std::string_view user_id, const ClientRef& client) {
  const auto user = store::find_user(connection, user_id);
  if (!user) return fail(user.error());
  if (*user && (*user)->role == store::Role::superadmin) return true;
  const auto grants = store::list_grants(connection, user_id);
  if (!grants) return fail(grants.error());
  return std::ranges::any_of(*grants, [&](const auto& grant) { return grant.names(client); });
}

/// The client, if this user may have a quota on it.
Result<ClientRef> target_in(Connection& connection, std::string_view user_id,
                            const std::string& client) {
  Result<ClientRef> ref = resolve_in(connection, client);
  if (!ref) return ref;
  const auto covered = is_target(connection, user_id, *ref);
  if (!covered) return fail(covered.error());
  if (!*covered) return fail({Errc::quota_target_not_found, std::string(user_id)});
  return ref;
}

Result<QuotaRow> existing_in(Connection& connection, std::string_view user_id,
                             const std::string& client) {
  const Result<ClientRef> ref = resolve_in(connection, client);
  if (!ref) return fail(ref.error());
  auto quota = store::find_quota(connection, *ref, user_id);
  if (!quota) return fail(quota.error());
  if (!*quota) return fail(Errc::quota_not_found);
  return *std::move(*quota);
}

/// What a PUT asks for.
struct Wanted {
  std::string user_id;
  std::string client;
  std::int64_t monthly_bytes;
  std::optional<std::int64_t> billing_anchor;
};

Result<Change> put_in(Connection& connection, const Wanted& wanted, std::int64_t now) {
  const Result<ClientRef> ref = target_in(connection, wanted.user_id, wanted.client);
  if (!ref) return fail(ref.error());
  auto found = store::find_quota(connection, *ref, wanted.user_id);
  if (!found) return fail(found.error());
  if (!*found) {
    Change change;
    change.row.user_id = wanted.user_id;
    change.row.client = *ref;
    change.effect =
        open_quota(change.row, wanted.monthly_bytes, wanted.billing_anchor.value_or(now), now);
    const auto id = store::insert_quota(connection, change.row);
    if (!id) return fail(id.error());
    change.row.id = *id;
    return change;
  }
  Change change{std::move(**found), {}};
  if (wanted.billing_anchor && *wanted.billing_anchor != change.row.billing_anchor) {
    return fail(Errc::billing_anchor_immutable);
  }
  change.effect = set_limit(change.row, wanted.monthly_bytes, now);
  if (const auto done = store::update_quota(connection, change.row); !done) {
    return fail(done.error());
  }
  return change;
}

}  // namespace

async::Task<Result<ClientRef>> QuotaService::Impl::resolve(std::string client) {
  auto find = [client](Connection& connection) { return resolve_in(connection, client); };
  co_return co_await store_.read(std::move(find));
}

/// The checks of a PUT that are not of its own transaction.
async::Task<Result<>> QuotaService::Impl::admit(std::string user_id, std::string client) {
  auto find = [user_id, client](Connection& connection) {
    return target_in(connection, user_id, client);
  };
  const Result<ClientRef> ref = co_await store_.read(std::move(find));
  if (!ref) co_return fail(ref.error());
  // An offline client is told by the replay of its next session, whatever its release is then.
  if (ref->client_id && sink_ != nullptr) {
    const auto version = sink_->client_version(*ref->client_id);
    if (version && !model::supports(*version, model::kNeedsQuota)) {
      co_return fail({Errc::quota_unsupported_by_client, ref->client_name});
    }
  }
  co_return Result<>{};
}

async::Task<Result<QuotaRow>> QuotaService::Impl::put(std::string user_id, std::string client,
                                                      std::int64_t monthly_bytes,
                                                      std::optional<std::int64_t> billing_anchor) {
  if (monthly_bytes < 0) co_return fail(Errc::invalid_quota_size);
  const Result<> admitted = co_await admit(user_id, client);
  if (!admitted) co_return fail(admitted.error());
  if (billing_anchor && !is_billing_anchor(*billing_anchor)) {
    co_return fail(Errc::invalid_billing_anchor);
  }
  Wanted wanted{std::move(user_id), std::move(client), monthly_bytes, billing_anchor};
  auto change = [wanted = std::move(wanted), at = now()](Connection& connection) {
    return put_in(connection, wanted, at);
  };
  Result<Change> done = co_await store_.write(std::move(change));
  if (!done) co_return fail(done.error());
  QuotaRow row = done->row;
  apply(std::move(*done), Push::set);
  co_return row;
}

async::Task<Result<QuotaRow>> QuotaService::Impl::patch(std::string user_id, std::string client,
                                                        std::optional<std::int64_t> monthly_bytes,
                                                        bool clear) {
  const bool bad_size = monthly_bytes && *monthly_bytes < 0;
  auto change = [=, at = now()](Connection& connection) -> Result<Change> {
    Result<QuotaRow> row = existing_in(connection, user_id, client);
    if (!row) return fail(row.error());
    if (bad_size) return fail(Errc::invalid_quota_size);
    Change out{std::move(*row), {}};
    if (!monthly_bytes && !clear) return out;
    const bool was_exhausted = out.row.exhausted_at.has_value();
    if (monthly_bytes) set_limit(out.row, *monthly_bytes, at);
    if (clear) clear_usage(out.row, at);
    // It is one write: what the limit alone would have exhausted never was.
    out.effect.exhausted = !was_exhausted && out.row.exhausted_at.has_value();
    if (const auto done = store::update_quota(connection, out.row); !done) {
      return fail(done.error());
    }
    return out;
  };
  Result<Change> done = co_await store_.write(std::move(change));
  if (!done) co_return fail(done.error());
  QuotaRow row = done->row;
  if (monthly_bytes || clear) apply(std::move(*done), Push::set);
  co_return row;
}

async::Task<Result<>> QuotaService::Impl::remove(std::string user_id, std::string client) {
  auto change = [user_id, client](Connection& connection) -> Result<ClientRef> {
    const Result<QuotaRow> row = existing_in(connection, user_id, client);
    if (!row) return fail(row.error());
    const auto removed = store::remove_quota(connection, row->client, user_id);
    if (!removed) return fail(removed.error());
    return row->client;
  };
  const Result<ClientRef> ref = co_await store_.write(std::move(change));
  if (!ref) co_return fail(ref.error());
  book_.erase(*ref, user_id);
  tell(*ref, user_id, Push::remove);
  co_return Result<>{};
}

}  // namespace portunus::server::quotas
