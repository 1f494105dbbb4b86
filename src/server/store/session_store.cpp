#include "server/store/session_store.hpp"

#include <string>

#include "server/store/connection.hpp"

namespace portunus::server::store {

Result<> insert_session(Connection& connection, const SessionRow& session) {
  return guarded([&]() -> Result<> {
    Query(connection,
          "INSERT INTO web_sessions (session_hash, user_id, created_at, last_seen_at, expires_at, "
          "revoked_at, remote_address, user_agent) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
          session.session_hash, session.user_id, session.created_at, session.last_seen_at,
          session.expires_at, session.revoked_at, session.remote_address, session.user_agent)
        .run();
    return {};
  });
}

Result<std::optional<SessionRow>> find_session(Connection& connection,
                                               std::string_view session_hash) {
  return guarded([&]() -> Result<std::optional<SessionRow>> {
    Query query(connection,
                "SELECT session_hash, user_id, created_at, last_seen_at, expires_at, revoked_at, "
                "remote_address, user_agent FROM web_sessions WHERE session_hash = ?",
                session_hash);
    if (!query.step()) return std::nullopt;
    return SessionRow{.session_hash = query.text(0),
                      .user_id = query.text(1),
                      .created_at = query.time(2),
                      .last_seen_at = query.time(3),
                      .expires_at = query.time(4),
                      .revoked_at = query.optional_time(5),
                      .remote_address = query.text(6),
                      .user_agent = query.optional_text(7)};
  });
}

Result<> scan_session_hashes(Connection& connection, std::string_view prefix,
                             const HashVisitor& visit) {
  return guarded([&]() -> Result<> {
    // "g" follows the last hex digit.
    Query query(connection,
                "SELECT session_hash FROM web_sessions WHERE session_hash >= ? AND "
                "session_hash < ?",
                prefix, std::string(prefix) + "g");
    while (query.step()) {
      const std::string hash = query.text(0);
      visit(hash, hash);
    }
    return {};
  });
}

Result<> touch_session(Connection& connection, std::string_view session_hash, SystemTime seen_at) {
  return guarded([&]() -> Result<> {
    Query(connection,
          "UPDATE web_sessions SET last_seen_at = max(last_seen_at, ?) WHERE session_hash = ?",
          seen_at, session_hash)
        .run();
    return {};
  });
}

Result<> revoke_session(Connection& connection, std::string_view session_hash, SystemTime now) {
  return guarded([&]() -> Result<> {
    Query(connection,
          "UPDATE web_sessions SET revoked_at = ? WHERE session_hash = ? AND revoked_at IS NULL",
          now, session_hash)
        .run();
    return {};
  });
}

Result<std::int64_t> revoke_sessions_of(Connection& connection, std::string_view user_id,
                                        SystemTime now, SystemTime idle_since) {
  return guarded([&]() -> Result<std::int64_t> {
    const auto revoked = Query(connection,
                               "UPDATE web_sessions SET revoked_at = ? WHERE user_id = ? AND "
                               "revoked_at IS NULL AND last_seen_at >= ? AND expires_at >= ?",
                               now, user_id, idle_since, now)
                             .run();
    Query(connection,
          "UPDATE web_sessions SET revoked_at = ? WHERE user_id = ? AND revoked_at IS NULL", now,
          user_id)
        .run();
    return revoked;
  });
}

Result<> remove_sessions_ended(Connection& connection, SystemTime before) {
  return guarded([&]() -> Result<> {
    Query(connection, "DELETE FROM web_sessions WHERE expires_at < ?", before).run();
    return {};
  });
}

}  // namespace portunus::server::store
