#include "server/store/password_store.hpp"

#include "server/store/connection.hpp"

namespace portunus::server::store {

Result<> put_password(Connection& connection, const PasswordRow& password) {
  return guarded([&]() -> Result<> {
    Query(connection,
          "INSERT INTO passwords (user_id, password_hash, change_required, changed_at) "
          "VALUES (?, ?, ?, ?) ON CONFLICT (user_id) DO UPDATE SET "
          "password_hash = excluded.password_hash, change_required = excluded.change_required, "
          "changed_at = excluded.changed_at",
          password.user_id, password.password_hash, password.change_required, password.changed_at)
        .run();
    return {};
  });
}

Result<std::optional<PasswordRow>> find_password(Connection& connection, std::string_view user_id) {
  return guarded([&]() -> Result<std::optional<PasswordRow>> {
    Query query(connection,
                "SELECT user_id, password_hash, change_required, changed_at FROM passwords "
                "WHERE user_id = ?",
                user_id);
    if (!query.step()) return std::nullopt;
    return PasswordRow{.user_id = query.text(0),
                       .password_hash = query.text(1),
                       .change_required = query.flag(2),
                       .changed_at = query.time(3)};
  });
}

Result<std::int64_t> revoke_credentials_of(Connection& connection, std::string_view user_id,
                                           SystemTime now) {
  return guarded([&]() -> Result<std::int64_t> {
    return Query(connection,
                 "UPDATE credentials SET revoked_at = ? WHERE user_id = ? AND revoked_at IS NULL",
                 now, user_id)
        .run();
  });
}

}  // namespace portunus::server::store
