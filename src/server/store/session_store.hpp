#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "server/store/hash_scan.hpp"
#include "server/store/rows.hpp"

namespace portunus::server::store {

class Connection;

/// Browsers that have signed in. Functions of one transaction; which session is still good is the
/// domain's business.

/// Errc::constraint for a user that does not exist.
Result<> insert_session(Connection& connection, const SessionRow& session);
Result<std::optional<SessionRow>> find_session(Connection& connection,
                                               std::string_view session_hash);
/// Sessions are many and are asked for with every request of a browser, so only those are visited
/// whose hash begins with `prefix` (hex digits). The visitor gets the hash as the id too.
Result<> scan_session_hashes(Connection& connection, std::string_view prefix,
                             const HashVisitor& visit);
/// Notes a use; never an earlier one than is there.
Result<> touch_session(Connection& connection, std::string_view session_hash, SystemTime seen_at);
Result<> revoke_session(Connection& connection, std::string_view session_hash, SystemTime now);
/// Revokes all of a user; how many of them were last seen at `idle_since` or later and had not
/// reached their end.
Result<std::int64_t> revoke_sessions_of(Connection& connection, std::string_view user_id,
                                        SystemTime now, SystemTime idle_since);
/// Deletes what reached its end before `before`.
Result<> remove_sessions_ended(Connection& connection, SystemTime before);

}  // namespace portunus::server::store
