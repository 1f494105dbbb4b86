#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "server/store/rows.hpp"

namespace portunus::server::store {

class Connection;

/// Passwords of users, and what goes with a reset. Functions of one transaction.

/// Sets or replaces; Errc::constraint for a user that does not exist.
Result<> put_password(Connection& connection, const PasswordRow& password);
/// Nothing for a user without one, or no user at all.
Result<std::optional<PasswordRow>> find_password(Connection& connection, std::string_view user_id);
/// Revokes the user's active API tokens; how many there were.
Result<std::int64_t> revoke_credentials_of(Connection& connection, std::string_view user_id,
                                           SystemTime now);

}  // namespace portunus::server::store
