#include "server/auth/client_service.hpp"

#include <algorithm>
#include <utility>

#include "common/base/ulid.hpp"
#include "common/log/logger.hpp"
#include "common/model/names.hpp"
#include "server/auth/errc.hpp"
#include "server/auth/token_match.hpp"
#include "server/store/client_store.hpp"

namespace portunus::server::auth {
namespace {

using store::ClientKey;
using store::ClientRow;

constexpr std::string_view kScheme = "Bearer ";
constexpr std::size_t kMaxTokenBytes = 256;

bool is_client_key(std::string_view key) {
  return model::is_client_name(key) || is_ulid(key);
}

/// The token of a control stream's header, or why there is none (control-wire 4).
Result<Secret> channel_token(const std::optional<std::string>& authorization) {
  if (!authorization) return fail(Errc::missing_token);
  if (!authorization->starts_with(kScheme)) return fail(Errc::malformed_token);
  const std::string_view token = model::trim(std::string_view(*authorization).substr(7));
  if (token.empty()) return fail(Errc::missing_token);
  const bool ascii = std::ranges::all_of(token, [](char c) { return c > 0x1F && c < 0x7F; });
  if (!ascii || token.size() > kMaxTokenBytes) return fail(Errc::malformed_token);
  return Secret(std::string(token));
}

Result<ClientRow> find_by_token(store::Connection& connection, const Secret& token) {
  TokenMatch match(token.reveal());
  const auto scanned = store::scan_client_hashes(connection, match.prefix(), match.visitor());
  if (!scanned) return fail(scanned.error());
  auto row = store::find_client(connection, match.id());
  if (!row) return fail(row.error());
  if (!*row) return fail(Errc::token_not_found);
  if ((*row)->revoked_at) return fail(Errc::token_revoked);
  return std::move(**row);
}

/// The key's client, which has to be enrolled.
Result<ClientRow> require_client(store::Connection& connection, const std::string& key) {
  auto found = store::resolve_client(connection, key);
  if (!found) return fail(found.error());
  if (found->kind == ClientKey::Kind::bad_name)
    return fail({Errc::invalid_name, "\"" + key + "\""});
  if (!found->row) return fail({Errc::client_not_found, key});
  return std::move(*found->row);
}

/// Empty when the key is a name that is not enrolled; `changed` is false when nothing was to do.
struct Revoked {
  std::optional<ClientRow> row;
  bool changed = false;
};

Result<Revoked> revoke_in(store::Connection& connection, const std::string& key, SystemTime now) {
  auto found = store::resolve_client(connection, key);
  if (!found) return fail(found.error());
  if (found->kind == ClientKey::Kind::bad_name)
    return fail({Errc::invalid_name, "\"" + key + "\""});
  if (found->kind == ClientKey::Kind::unknown_id) return fail({Errc::client_not_found, key});
  if (!found->row) return Revoked{};
  const auto changed = store::revoke_client(connection, found->row->client_id, now);
  if (!changed) return fail(changed.error());
  return Revoked{std::move(found->row), *changed};
}

Result<ClientRow> rename_in(store::Connection& connection, const std::string& key,
                            const std::string& name) {
  Result<ClientRow> row = require_client(connection, key);
  if (!row) return row;
  const auto holder = store::find_client_by_name(connection, name);
  if (!holder) return fail(holder.error());
  if (*holder && (*holder)->client_id != row->client_id) {
    return fail({Errc::client_already_exists, name});
  }
  const auto renamed = store::rename_client(connection, row->client_id, name);
  if (!renamed) return fail(renamed.error());
  row->name = name;
  return row;
}

Result<ClientRow> remove_in(store::Connection& connection, const std::string& key) {
  Result<ClientRow> row = require_client(connection, key);
  if (!row) return row;
  if (!row->revoked_at) return fail({Errc::client_not_revoked, row->name});
  const auto removed = store::remove_client(connection, row->client_id);
  if (!removed) return fail(removed.error());
  return row;
}

}  // namespace

ClientService::ClientService(store::Store& store, const Clock& clock, EnrollmentMaterial material,
                             AdvertisedEndpoint endpoint)
    : store_(store),
      clock_(clock),
      material_(std::move(material)),
      endpoint_(std::move(endpoint)) {}

ClientView ClientService::view(ClientRow row) const {
  auto session = sink_ != nullptr ? sink_->live_session(row.client_id) : std::nullopt;
  return {std::move(row), std::move(session)};
}

async::Task<Result<ClientRow>> ClientService::authenticate(
    std::optional<std::string> authorization) {
  const Result<Secret> token = channel_token(authorization);
  if (!token) co_return fail(token.error());
  // A snapshot taken before a revocation may arrive here after it: then it counts for nothing.
  while (true) {
    const std::uint64_t epoch = token_epoch_;
    auto look_up = [secret = *token](store::Connection& connection) {
      return find_by_token(connection, secret);
    };
    Result<ClientRow> row = co_await store_.read(std::move(look_up));
    if (epoch == token_epoch_) co_return row;
  }
}

async::Task<Result<std::vector<ClientView>>> ClientService::list() {
  auto load = [](store::Connection& connection) { return store::list_clients(connection); };
  Result<std::vector<ClientRow>> rows = co_await store_.read(load);
  if (!rows) co_return fail(rows.error());
  std::vector<ClientView> out;
  out.reserve(rows->size());
  for (ClientRow& row : *rows) out.push_back(view(std::move(row)));
  co_return out;
}

async::Task<Result<ClientService::Resolved>> ClientService::resolve(std::string client) {
  auto find = [client](store::Connection& connection) {
    return store::resolve_client(connection, client);
  };
  Result<ClientKey> found = co_await store_.read(std::move(find));
  if (!found) co_return fail(found.error());
  switch (found->kind) {
    case ClientKey::Kind::enrolled:
      break;
    case ClientKey::Kind::bare_name:
      co_return Resolved{std::move(client), std::nullopt};
    case ClientKey::Kind::unknown_id:
      co_return fail({Errc::client_not_found, client});
    case ClientKey::Kind::bad_name:
      co_return fail({Errc::invalid_name, "\"" + client + "\""});
  }
  std::string name = found->row->name;
  co_return Resolved{std::move(name), std::move(found->row)};
}

async::Task<Result<>> ClientService::revoke(std::string client) {
  auto change = [client, now = clock_.now()](store::Connection& connection) {
    return revoke_in(connection, client, now);
  };
  const Result<Revoked> done = co_await store_.write(std::move(change));
  if (!done) co_return fail(done.error());
  bool was_connected = false;
  if (done->row) {
    ++token_epoch_;
    was_connected = sink_ != nullptr && sink_->disconnect(done->row->client_id, "token_revoked");
  }
  log::log(log::Event::audit_revoke, {{"outcome", done->changed ? "ok" : "noop"},
                                      {"client_name", done->row ? done->row->name : client},
                                      {"was_connected", was_connected}});
  co_return Result<>{};
}

async::Task<Result<ClientView>> ClientService::set_address(std::string client,
                                                           std::string address) {
  if (!is_client_key(client)) co_return fail({Errc::invalid_name, "\"" + client + "\""});
  const auto canonical = model::parse_client_address(address);
  if (!canonical) co_return fail({Errc::invalid_client_address, address});
  auto change = [client, canonical](store::Connection& connection) -> Result<ClientRow> {
    Result<ClientRow> row = require_client(connection, client);
    if (!row) return row;
    const auto set = store::set_client_address(connection, row->client_id, *canonical);
    if (!set) return fail(set.error());
    row->address = canonical;
    return row;
  };
  Result<ClientRow> row = co_await store_.write(std::move(change));
  if (!row) co_return fail(row.error());
  log::log(log::Event::audit_client_update, {{"outcome", "ok"}, {"client_name", row->name}});
  co_return view(std::move(*row));
}

async::Task<Result<ClientView>> ClientService::rename(std::string client, std::string name) {
  if (!is_client_key(client)) co_return fail({Errc::invalid_name, "\"" + client + "\""});
  if (!model::is_client_name(name)) co_return fail({Errc::invalid_name, "\"" + name + "\""});
  auto change = [client, name](store::Connection& connection) {
    return rename_in(connection, client, name);
  };
  Result<ClientRow> row = co_await store_.write(std::move(change));
  if (!row) co_return fail(row.error());
  for (ClientListener* listener : listeners_) {
    listener->on_client_changed(row->client_id, row->name);
  }
  log::log(log::Event::audit_client_update, {{"outcome", "ok"}, {"client_name", row->name}});
  co_return view(std::move(*row));
}

async::Task<Result<>> ClientService::remove(std::string client) {
  auto change = [client](store::Connection& connection) { return remove_in(connection, client); };
  const Result<ClientRow> row = co_await store_.write(std::move(change));
  if (!row) co_return fail(row.error());
  ++token_epoch_;
  for (ClientListener* listener : listeners_) listener->on_client_removed(row->client_id);
  log::log(log::Event::audit_client_delete, {{"outcome", "ok"}, {"client_name", row->name}});
  co_return Result<>{};
}

}  // namespace portunus::server::auth
