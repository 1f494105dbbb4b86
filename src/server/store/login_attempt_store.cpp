#include "server/store/login_attempt_store.hpp"

#include "server/store/connection.hpp"

namespace portunus::server::store {
namespace {

std::string_view action_text(AttemptKey::Action action) {
  switch (action) {
    case AttemptKey::Action::login:
      return "login";
    case AttemptKey::Action::onboarding:
      return "onboarding";
    case AttemptKey::Action::password_reset:
      return "password_reset";
  }
  return "";
}

}  // namespace

Result<std::optional<AttemptRow>> find_attempts(Connection& connection, const AttemptKey& key) {
  return guarded([&]() -> Result<std::optional<AttemptRow>> {
    Query query(connection,
                "SELECT failures, first_failed_at, last_failed_at, locked_until "
                "FROM login_attempts WHERE action = ? AND subject = ? AND remote_address = ?",
                action_text(key.action), key.subject, key.remote_address);
    if (!query.step()) return std::nullopt;
    return AttemptRow{.failures = static_cast<int>(query.integer(0)),
                      .first_failed_at = query.time(1),
                      .last_failed_at = query.time(2),
                      .locked_until = query.optional_time(3)};
  });
}

Result<> put_attempts(Connection& connection, const AttemptKey& key, const AttemptRow& attempts) {
  return guarded([&]() -> Result<> {
    Query(connection,
          "INSERT OR REPLACE INTO login_attempts (action, subject, remote_address, failures, "
          "first_failed_at, last_failed_at, locked_until) VALUES (?, ?, ?, ?, ?, ?, ?)",
          action_text(key.action), key.subject, key.remote_address, attempts.failures,
          attempts.first_failed_at, attempts.last_failed_at, attempts.locked_until)
        .run();
    return {};
  });
}

Result<> remove_attempts(Connection& connection, const AttemptKey& key) {
  return guarded([&]() -> Result<> {
    Query(connection,
          "DELETE FROM login_attempts WHERE action = ? AND subject = ? AND remote_address = ?",
          action_text(key.action), key.subject, key.remote_address)
        .run();
    return {};
  });
}

Result<> remove_attempts_before(Connection& connection, SystemTime before) {
  return guarded([&]() -> Result<> {
    Query(connection, "DELETE FROM login_attempts WHERE last_failed_at < ?", before).run();
    return {};
  });
}

}  // namespace portunus::server::store
