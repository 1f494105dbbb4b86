#include "server/store/user_store.hpp"

#include "server/store/connection.hpp"

namespace portunus::server::store {
namespace {

constexpr std::string_view kSuperadmin = "superadmin";

std::string_view role_text(Role role) {
  switch (role) {
    case Role::superadmin:
      return kSuperadmin;
    case Role::user:
      return "user";
  }
  return "";
}

}  // namespace

Result<> insert_user(Connection& connection, const UserRow& user) {
  return guarded([&]() -> Result<> {
    Query(connection,
          "INSERT INTO users (user_id, display_name, role, disabled, created_at) "
          "VALUES (?, ?, ?, ?, ?)",
          user.user_id, user.display_name, role_text(user.role), user.disabled, user.created_at)
        .run();
    return {};
  });
}

Result<std::optional<UserRow>> find_user(Connection& connection, std::string_view user_id) {
  return guarded([&]() -> Result<std::optional<UserRow>> {
    Query query(connection,
                "SELECT user_id, display_name, role, disabled, created_at FROM users "
                "WHERE user_id = ?",
                user_id);
    if (!query.step()) return std::nullopt;
    return UserRow{.user_id = query.text(0),
                   .display_name = query.text(1),
                   .role = query.text(2) == kSuperadmin ? Role::superadmin : Role::user,
                   .disabled = query.flag(3),
                   .created_at = query.time(4)};
  });
}

Result<std::int64_t> count_users(Connection& connection) {
  return guarded([&]() -> Result<std::int64_t> {
    Query query(connection, "SELECT count(*) FROM users");
    query.step();
    return query.integer(0);
  });
}

Result<bool> superadmin_exists(Connection& connection, bool enabled_only) {
  return guarded([&]() -> Result<bool> {
    Query query(connection,
                "SELECT 1 FROM users WHERE role = 'superadmin' AND (disabled = 0 OR NOT ?) LIMIT 1",
                enabled_only);
    return query.step();
  });
}

}  // namespace portunus::server::store
