#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "server/store/rows.hpp"

namespace portunus::server::store {

class Connection;

/// Operators. Functions of one transaction; Errc::constraint for an id that exists.
Result<> insert_user(Connection& connection, const UserRow& user);
Result<std::optional<UserRow>> find_user(Connection& connection, std::string_view user_id);
/// The caller's error for an id that nobody has.
Result<> require_user(Connection& connection, std::string_view user_id, Error unknown);
/// A user and how much he has; revoked credentials count.
struct UserSummary {
  UserRow user;
  std::uint64_t credentials = 0;
  std::uint64_t grants = 0;
};
/// Ascending by id.
Result<std::vector<UserSummary>> list_users(Connection& connection);
Result<std::optional<UserSummary>> summarize_user(Connection& connection, std::string_view user_id);
/// With credentials and grants; false when there was none. Errc::constraint while he owns a rule.
Result<bool> remove_user(Connection& connection, std::string_view user_id);
Result<std::int64_t> count_users(Connection& connection);
/// Of any state, or with `enabled_only` only those that can act.
Result<bool> superadmin_exists(Connection& connection, bool enabled_only);

}  // namespace portunus::server::store
