#include "server/store/setup_token_store.hpp"

#include "server/store/connection.hpp"

namespace portunus::server::store {

Result<> put_setup_token(Connection& connection, const SetupTokenRow& token) {
  return guarded([&]() -> Result<> {
    Query(connection,
          "INSERT OR REPLACE INTO onboarding_token (only_row, token_hash, issued_at, expires_at) "
          "VALUES (1, ?, ?, ?)",
          token.token_hash, token.issued_at, token.expires_at)
        .run();
    return {};
  });
}

Result<std::optional<SetupTokenRow>> find_setup_token(Connection& connection) {
  return guarded([&]() -> Result<std::optional<SetupTokenRow>> {
    Query query(connection, "SELECT token_hash, issued_at, expires_at FROM onboarding_token");
    if (!query.step()) return std::nullopt;
    return SetupTokenRow{
        .token_hash = query.text(0), .issued_at = query.time(1), .expires_at = query.time(2)};
  });
}

Result<> remove_setup_token(Connection& connection) {
  return guarded([&]() -> Result<> {
    Query(connection, "DELETE FROM onboarding_token").run();
    return {};
  });
}

}  // namespace portunus::server::store
