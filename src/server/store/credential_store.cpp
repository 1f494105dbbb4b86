#include "server/store/credential_store.hpp"

#include "server/store/connection.hpp"

namespace portunus::server::store {
namespace {

CredentialRow read_row(const Query& query) {
  return {.credential_id = query.text(0),
          .user_id = query.text(1),
          .token_hash = query.text(2),
          .label = query.optional_text(3),
          .created_at = query.time(4),
          .last_used_at = query.optional_time(5),
          .revoked_at = query.optional_time(6)};
}

}  // namespace

Result<> insert_credential(Connection& connection, const CredentialRow& credential) {
  return guarded([&]() -> Result<> {
    Query(connection,
          "INSERT INTO credentials (credential_id, user_id, token_hash, label, created_at, "
          "last_used_at, revoked_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
          credential.credential_id, credential.user_id, credential.token_hash, credential.label,
          credential.created_at, credential.last_used_at, credential.revoked_at)
        .run();
    return {};
  });
}

Result<std::optional<CredentialRow>> find_credential(Connection& connection,
                                                     std::string_view credential_id) {
  return guarded([&]() -> Result<std::optional<CredentialRow>> {
    Query query(connection,
                "SELECT credential_id, user_id, token_hash, label, created_at, last_used_at, "
                "revoked_at FROM credentials WHERE credential_id = ?",
                credential_id);
    if (!query.step()) return std::nullopt;
    return read_row(query);
  });
}

Result<std::vector<CredentialRow>> list_credentials(Connection& connection,
                                                    std::string_view user_id) {
  return guarded([&]() -> Result<std::vector<CredentialRow>> {
    std::vector<CredentialRow> out;
    Query query(connection,
                "SELECT credential_id, user_id, token_hash, label, created_at, last_used_at, "
                "revoked_at FROM credentials WHERE user_id = ? ORDER BY credential_id",
                user_id);
    while (query.step()) out.push_back(read_row(query));
    return out;
  });
}

Result<bool> revoke_credential(Connection& connection, std::string_view credential_id,
                               SystemTime now) {
  return guarded([&]() -> Result<bool> {
    return Query(connection,
                 "UPDATE credentials SET revoked_at = ? "
                 "WHERE credential_id = ? AND revoked_at IS NULL",
                 now, credential_id)
               .run() > 0;
  });
}

Result<> scan_credential_hashes(Connection& connection, std::string_view prefix,
                                const HashVisitor& visit) {
  return guarded([&]() -> Result<> {
    // "g" follows the last hex digit.
    Query query(connection,
                "SELECT token_hash, credential_id FROM credentials WHERE token_hash >= ? AND "
                "token_hash < ?",
                prefix, std::string(prefix) + "g");
    while (query.step()) visit(query.text(0), query.text(1));
    return {};
  });
}

Result<> touch_credential(Connection& connection, std::string_view credential_id,
                          SystemTime used_at) {
  return guarded([&]() -> Result<> {
    Query(connection, "UPDATE credentials SET last_used_at = ? WHERE credential_id = ?", used_at,
          credential_id)
        .run();
    return {};
  });
}

}  // namespace portunus::server::store
