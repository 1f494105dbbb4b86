#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "server/store/rows.hpp"

namespace portunus::server::store {

class Connection;

/// Grants of users. Functions of one transaction.

/// Errc::constraint for a value out of range, or a user or client that does not exist.
Result<> insert_grant(Connection& connection, const GrantRow& grant);
Result<std::optional<GrantRow>> find_grant(Connection& connection, std::string_view grant_id);
/// Of one user, or without `user_id` of all; ascending by id.
Result<std::vector<GrantRow>> list_grants(Connection& connection,
                                          std::optional<std::string_view> user_id);
Result<std::int64_t> count_grants(Connection& connection);
/// False when there was none.
Result<bool> remove_grant(Connection& connection, std::string_view grant_id);

/// Grants made for a name that was not enrolled are for this client from now on.
Result<> bind_grants(Connection& connection, std::string_view name, std::string_view client_id);
/// The grants that name a renamed client carry its new name.
Result<> rename_grants(Connection& connection, std::string_view client_id, std::string_view name);

}  // namespace portunus::server::store
