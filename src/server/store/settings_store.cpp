#include "server/store/settings_store.hpp"

#include "server/store/connection.hpp"

namespace portunus::server::store {

Result<std::optional<std::string>> advertised_override(Connection& connection) {
  return guarded([&]() -> Result<std::optional<std::string>> {
    Query query(connection, "SELECT advertised_endpoint FROM settings");
    if (!query.step()) return std::nullopt;
    return query.optional_text(0);
  });
}

Result<> set_advertised_override(Connection& connection,
                                 const std::optional<std::string>& endpoint) {
  return guarded([&]() -> Result<> {
    Query(connection,
          "INSERT INTO settings VALUES (1, ?) ON CONFLICT DO UPDATE SET "
          "advertised_endpoint = excluded.advertised_endpoint",
          endpoint)
        .run();
    return {};
  });
}

}  // namespace portunus::server::store
