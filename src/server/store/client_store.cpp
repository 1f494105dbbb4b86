#include "server/store/client_store.hpp"

#include "common/base/ulid.hpp"
#include "common/model/names.hpp"
#include "server/store/client_records.hpp"
#include "server/store/connection.hpp"
#include "server/store/enrollment_store.hpp"

namespace portunus::server::store {
namespace {

ClientRow read_row(const Query& query) {
  return {.client_id = query.text(0),
          .name = query.text(1),
          .token_hash = query.text(2),
          .provisioned_at = query.time(3),
          .revoked_at = query.optional_time(4),
          .address = query.optional_text(5)};
}

std::optional<ClientRow> read_one(Query& query) {
  if (!query.step()) return std::nullopt;
  return read_row(query);
}

}  // namespace

Result<> insert_client(Connection& connection, const ClientRow& client) {
  return guarded([&]() -> Result<> {
    Query(connection,
          "INSERT INTO clients (client_id, name, token_hash, provisioned_at, revoked_at, address) "
          "VALUES (?, ?, ?, ?, ?, ?)",
          client.client_id, client.name, client.token_hash, client.provisioned_at,
          client.revoked_at, client.address)
        .run();
    return bind_records(connection, client.name, client.client_id);
  });
}

Result<std::optional<ClientRow>> find_client(Connection& connection, std::string_view client_id) {
  return guarded([&]() -> Result<std::optional<ClientRow>> {
    Query query(connection,
                "SELECT client_id, name, token_hash, provisioned_at, revoked_at, address "
                "FROM clients WHERE client_id = ?",
                client_id);
    return read_one(query);
  });
}

Result<std::optional<ClientRow>> find_client_by_name(Connection& connection,
                                                     std::string_view name) {
  return guarded([&]() -> Result<std::optional<ClientRow>> {
    Query query(connection,
                "SELECT client_id, name, token_hash, provisioned_at, revoked_at, address "
                "FROM clients WHERE name = ?",
                name);
    return read_one(query);
  });
}

Result<std::vector<ClientRow>> list_clients(Connection& connection) {
  return guarded([&]() -> Result<std::vector<ClientRow>> {
    std::vector<ClientRow> out;
    Query query(connection,
                "SELECT client_id, name, token_hash, provisioned_at, revoked_at, address "
                "FROM clients ORDER BY name");
    while (query.step()) out.push_back(read_row(query));
    return out;
  });
}

Result<> scan_client_hashes(Connection& connection, std::string_view prefix,
                            const HashVisitor& visit) {
  return guarded([&]() -> Result<> {
    // "g" follows the last hex digit.
    Query query(connection,
                "SELECT token_hash, client_id FROM clients WHERE token_hash >= ? AND "
                "token_hash < ?",
                prefix, std::string(prefix) + "g");
    while (query.step()) visit(query.text(0), query.text(1));
    return {};
  });
}

Result<bool> rotate_client_token(Connection& connection, std::string_view client_id,
                                 std::string_view token_hash, SystemTime now) {
  return guarded([&]() -> Result<bool> {
    return Query(connection,
                 "UPDATE clients SET token_hash = ?, provisioned_at = ?, revoked_at = NULL "
                 "WHERE client_id = ?",
                 token_hash, now, client_id)
               .run() > 0;
  });
}

Result<bool> revoke_client(Connection& connection, std::string_view client_id, SystemTime now) {
  return guarded([&]() -> Result<bool> {
    return Query(connection,
                 "UPDATE clients SET revoked_at = ? WHERE client_id = ? AND revoked_at IS NULL",
                 now, client_id)
               .run() > 0;
  });
}

Result<bool> set_client_address(Connection& connection, std::string_view client_id,
                                std::string_view address) {
  return guarded([&]() -> Result<bool> {
    return Query(connection, "UPDATE clients SET address = ? WHERE client_id = ?", address,
                 client_id)
               .run() > 0;
  });
}

Result<bool> rename_client(Connection& connection, std::string_view client_id,
                           std::string_view name) {
  const auto row = find_client(connection, client_id);
  if (!row) return fail(row.error());
  if (!*row) return false;
  if ((*row)->name == name) return true;
  return guarded([&]() -> Result<bool> {
    Query(connection, "UPDATE clients SET name = ? WHERE client_id = ?", name, client_id).run();
    if (const auto moved = rename_records(connection, client_id, name); !moved) {
      return fail(moved.error());
    }
    if (const auto moved = rename_unused_enrollment(connection, (*row)->name, name); !moved) {
      return fail(moved.error());
    }
    return true;
  });
}

Result<bool> remove_client(Connection& connection, std::string_view client_id) {
  const auto row = find_client(connection, client_id);
  if (!row) return fail(row.error());
  if (!*row) return false;
  if (const auto gone = remove_unused_enrollment(connection, (*row)->name); !gone) {
    return fail(gone.error());
  }
  if (const auto freed = unbind_records(connection, client_id, (*row)->name); !freed) {
    return fail(freed.error());
  }
  return guarded([&]() -> Result<bool> {
    return Query(connection, "DELETE FROM clients WHERE client_id = ?", client_id).run() > 0;
  });
}

Result<ClientKey> resolve_client(Connection& connection, std::string_view key) {
  if (model::is_client_name(key)) {
    auto by_name = find_client_by_name(connection, key);
    if (!by_name) return fail(by_name.error());
    if (*by_name) return ClientKey{ClientKey::Kind::enrolled, std::move(*by_name)};
  }
  if (is_ulid(key)) {
    auto by_id = find_client(connection, key);
    if (!by_id) return fail(by_id.error());
    if (*by_id) return ClientKey{ClientKey::Kind::enrolled, std::move(*by_id)};
    return ClientKey{ClientKey::Kind::unknown_id, std::nullopt};
  }
  const bool name = model::is_client_name(key);
  return ClientKey{name ? ClientKey::Kind::bare_name : ClientKey::Kind::bad_name, std::nullopt};
}

Result<ClientRef> resolve_client_ref(Connection& connection, std::string_view key,
                                     std::error_code unknown_id, std::error_code bad_name) {
  auto found = resolve_client(connection, key);
  if (!found) return fail(std::move(found.error()));
  switch (found->kind) {
    case ClientKey::Kind::enrolled:
      return ClientRef{found->row->client_id, found->row->name};
    case ClientKey::Kind::bare_name:
      return ClientRef{std::nullopt, std::string(key)};
    case ClientKey::Kind::unknown_id:
      return fail({unknown_id, std::string(key)});
    case ClientKey::Kind::bad_name:
      break;
  }
  return fail({bad_name, "\"" + std::string(key) + "\""});
}

}  // namespace portunus::server::store
