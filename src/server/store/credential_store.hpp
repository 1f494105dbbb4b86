#pragma once

#include <optional>
#include <string_view>
#include <vector>

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
/// Those of one user, revoked ones included, ascending by id.
Result<std::vector<CredentialRow>> list_credentials(Connection& connection,
                                                    std::string_view user_id);
/// False when it was not active.
Result<bool> revoke_credential(Connection& connection, std::string_view credential_id,
                               SystemTime now);
/// Of the rows whose hash begins with `prefix` (hex digits), revoked ones included: hash and
/// credential id.
Result<> scan_credential_hashes(Connection& connection, std::string_view prefix,
                                const HashVisitor& visit);
Result<> touch_credential(Connection& connection, std::string_view credential_id,
                          SystemTime used_at);

}  // namespace portunus::server::store
