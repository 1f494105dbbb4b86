#pragma once

#include <optional>
#include <string_view>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "server/store/hash_scan.hpp"
#include "server/store/rows.hpp"

namespace portunus::server::store {

class Connection;

/// API tokens of operators. Functions of one transaction; Errc::constraint for a hash that exists
/// or a user that does not.
Result<> insert_credential(Connection& connection, const CredentialRow& credential);
Result<std::optional<CredentialRow>> find_credential(Connection& connection,
                                                     std::string_view credential_id);
/// Every row, revoked ones included: hash and credential id.
Result<> scan_credential_hashes(Connection& connection, const HashVisitor& visit);
Result<> touch_credential(Connection& connection, std::string_view credential_id,
                          SystemTime used_at);

}  // namespace portunus::server::store
