#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "common/base/result.hpp"
#include "server/store/rows.hpp"

namespace portunus::server::store {

class Connection;

/// Operators. Functions of one transaction; Errc::constraint for an id that exists.
Result<> insert_user(Connection& connection, const UserRow& user);
Result<std::optional<UserRow>> find_user(Connection& connection, std::string_view user_id);
Result<std::int64_t> count_users(Connection& connection);
/// Of any state, or with `enabled_only` only those that can act.
Result<bool> superadmin_exists(Connection& connection, bool enabled_only);

}  // namespace portunus::server::store
