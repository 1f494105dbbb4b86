#include "server/store/password_store.hpp"

#include "server/store/connection.hpp"
#include "server/store/errc.hpp"

namespace portunus::server::store {

Result<> put_password(Connection& connection, const PasswordRow& password) {
  return guarded([&]() -> Result<> {
    const int changed = Query(connection,
                              "UPDATE users SET password_hash = ?, password_change_required = ? "
                              "WHERE user_id = ?",
                              password.password_hash, password.change_required, password.user_id)
                            .run();
    if (changed == 0) return fail({Errc::constraint, "no such user"});
    return {};
  });
}

Result<std::optional<PasswordRow>> find_password(Connection& connection, std::string_view user_id) {
  return guarded([&]() -> Result<std::optional<PasswordRow>> {
    Query query(connection,
                "SELECT user_id, password_hash, password_change_required FROM users "
                "WHERE user_id = ? AND password_hash IS NOT NULL",
                user_id);
    if (!query.step()) return std::nullopt;
    return PasswordRow{
        .user_id = query.text(0), .password_hash = query.text(1), .change_required = query.flag(2)};
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
