#include "server/store/user_store.hpp"

#include <utility>

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

/// Of columns that begin with those of find_user().
UserRow read_row(const Query& query) {
  return {.user_id = query.text(0),
          .display_name = query.text(1),
          .role = query.text(2) == kSuperadmin ? Role::superadmin : Role::user,
          .disabled = query.flag(3),
          .created_at = query.time(4),
          .password_hash = query.optional_text(5),
          .password_change_required = query.flag(6)};
}

constexpr std::string_view kSelectSummaries =
    "SELECT user_id, display_name, role, disabled, created_at, password_hash, "
    "password_change_required, "
    "(SELECT count(*) FROM credentials WHERE credentials.user_id = users.user_id), "
    "(SELECT count(*) FROM grants WHERE grants.user_id = users.user_id) "
    "FROM users ORDER BY user_id";

UserSummary read_summary(const Query& query) {
  return {read_row(query), static_cast<std::uint64_t>(query.integer(7)),
          static_cast<std::uint64_t>(query.integer(8))};
}

}  // namespace

Result<> insert_user(Connection& connection, const UserRow& user) {
  return guarded([&]() -> Result<> {
    Query(connection,
          "INSERT INTO users (user_id, display_name, role, disabled, created_at, password_hash, "
          "password_change_required) VALUES (?, ?, ?, ?, ?, ?, ?)",
          user.user_id, user.display_name, role_text(user.role), user.disabled, user.created_at,
          user.password_hash, user.password_change_required)
        .run();
    return {};
  });
}

Result<std::optional<UserRow>> find_user(Connection& connection, std::string_view user_id) {
  return guarded([&]() -> Result<std::optional<UserRow>> {
    Query query(connection,
                "SELECT user_id, display_name, role, disabled, created_at, password_hash, "
                "password_change_required FROM users WHERE user_id = ?",
                user_id);
    if (!query.step()) return std::nullopt;
    return read_row(query);
  });
}

Result<> require_user(Connection& connection, std::string_view user_id, Error unknown) {
  const auto user = find_user(connection, user_id);
  if (!user) return fail(user.error());
  if (!*user) return fail(std::move(unknown));
  return {};
}

Result<std::vector<UserSummary>> list_users(Connection& connection) {
  return guarded([&]() -> Result<std::vector<UserSummary>> {
    std::vector<UserSummary> out;
    Query query(connection, kSelectSummaries);
    while (query.step()) out.push_back(read_summary(query));
    return out;
  });
}

Result<std::optional<UserSummary>> summarize_user(Connection& connection,
                                                  std::string_view user_id) {
  static const std::string sql =
      "SELECT * FROM (" + std::string(kSelectSummaries) + ") WHERE user_id = ?";
  return guarded([&]() -> Result<std::optional<UserSummary>> {
    Query query(connection, sql, user_id);
    if (!query.step()) return std::nullopt;
    return read_summary(query);
  });
}

Result<bool> remove_user(Connection& connection, std::string_view user_id) {
  return guarded([&]() -> Result<bool> {
    return Query(connection, "DELETE FROM users WHERE user_id = ?", user_id).run() > 0;
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
