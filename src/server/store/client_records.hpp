#pragma once

#include <string_view>

#include "common/base/result.hpp"

namespace portunus::server::store {

class Connection;

// What is kept under a client: rules, grants, owner limits, quotas, traffic history
// (store-and-quotas 3, "Client" as a key). The one list of the tables that follow a client.

/// The name is enrolled now: what was made for it belongs to this client.
Result<> bind_records(Connection& connection, std::string_view name, std::string_view client_id);
/// The client carries another name; what belongs to it stays its own.
Result<> rename_records(Connection& connection, std::string_view client_id, std::string_view name);
/// The client is about to go: what belongs to it is under its bare name again.
Result<> unbind_records(Connection& connection, std::string_view client_id, std::string_view name);

}  // namespace portunus::server::store
