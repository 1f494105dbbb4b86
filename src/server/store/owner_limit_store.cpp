#include "server/store/owner_limit_store.hpp"

#include "server/store/connection.hpp"
#include "server/store/rate_limit_columns.hpp"

namespace portunus::server::store {
namespace {

/// From the columns client_id, client_name, owner_id, updated_at and the caps.
OwnerLimitRow read_row(const Query& query) {
  return {.client = {query.optional_text(0), query.text(1)},
          .owner_id = query.text(2),
          .limit = read_caps(query, 4).value_or(model::RateLimit{}),
          .updated_at = query.time(3)};
}

}  // namespace

Result<> put_owner_limit(Connection& connection, const OwnerLimitRow& row) {
  if (auto gone = remove_owner_limit(connection, row.client, row.owner_id); !gone) {
    return fail(gone.error());
  }
  return guarded([&]() -> Result<> {
    const model::RateLimit& caps = row.limit;
    Query(connection,
          "INSERT INTO owner_limits (client_id, client_name, owner_id, updated_at, "
          "bandwidth_in_bps, bandwidth_out_bps, new_connections_per_sec, concurrent_connections, "
          "bandwidth_in_burst, bandwidth_out_burst, new_connections_burst) "
          "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
          row.client.client_id, row.client.client_name, row.owner_id, row.updated_at,
          caps.bandwidth_in_bps, caps.bandwidth_out_bps, caps.new_connections_per_sec,
          caps.concurrent_connections, caps.bandwidth_in_burst, caps.bandwidth_out_burst,
          caps.new_connections_burst)
        .run();
    return {};
  });
}

Result<std::optional<OwnerLimitRow>> find_owner_limit(Connection& connection,
                                                      const ClientRef& client,
                                                      std::string_view owner_id) {
  return guarded([&]() -> Result<std::optional<OwnerLimitRow>> {
    Query query(connection,
                "SELECT client_id, client_name, owner_id, updated_at, bandwidth_in_bps, "
                "bandwidth_out_bps, new_connections_per_sec, concurrent_connections, "
                "bandwidth_in_burst, bandwidth_out_burst, new_connections_burst FROM owner_limits "
                "WHERE client_id IS ?1 AND owner_id = ?3 AND (?1 IS NOT NULL OR client_name = ?2)",
                client.client_id, client.client_name, owner_id);
    if (!query.step()) return std::nullopt;
    return read_row(query);
  });
}

Result<std::vector<OwnerLimitRow>> list_owner_limits(Connection& connection) {
  return guarded([&]() -> Result<std::vector<OwnerLimitRow>> {
    std::vector<OwnerLimitRow> out;
    Query query(connection,
                "SELECT client_id, client_name, owner_id, updated_at, bandwidth_in_bps, "
                "bandwidth_out_bps, new_connections_per_sec, concurrent_connections, "
                "bandwidth_in_burst, bandwidth_out_burst, new_connections_burst FROM owner_limits");
    while (query.step()) out.push_back(read_row(query));
    return out;
  });
}

Result<bool> remove_owner_limit(Connection& connection, const ClientRef& client,
                                std::string_view owner_id) {
  return guarded([&]() -> Result<bool> {
    return Query(connection,
                 "DELETE FROM owner_limits "
                 "WHERE client_id IS ?1 AND owner_id = ?3 AND (?1 IS NOT NULL OR client_name = ?2)",
                 client.client_id, client.client_name, owner_id)
               .run() > 0;
  });
}

Result<std::vector<ClientRef>> remove_owner_limits_of(Connection& connection,
                                                      std::string_view owner_id) {
  return guarded([&]() -> Result<std::vector<ClientRef>> {
    std::vector<ClientRef> out;
    {
      Query query(connection, "SELECT client_id, client_name FROM owner_limits WHERE owner_id = ?",
                  owner_id);
      while (query.step()) out.push_back({query.optional_text(0), query.text(1)});
    }
    Query(connection, "DELETE FROM owner_limits WHERE owner_id = ?", owner_id).run();
    return out;
  });
}

Result<bool> collect_owner_limit(Connection& connection, const ClientRef& client,
                                 std::string_view owner_id) {
  const Result<bool> used = guarded([&]() -> Result<bool> {
    Query query(connection,
                "SELECT 1 FROM rules "
                "WHERE client_id IS ?1 AND owner_id = ?3 AND (?1 IS NOT NULL OR client_name = ?2) "
                "LIMIT 1",
                client.client_id, client.client_name, owner_id);
    return query.step();
  });
  if (!used) return used;
  if (*used) return false;
  return remove_owner_limit(connection, client, owner_id);
}

Result<std::vector<OwnerOnClient>> list_owners(Connection& connection, const ClientRef& client) {
  return guarded([&]() -> Result<std::vector<OwnerOnClient>> {
    std::vector<OwnerOnClient> out;
    Query query(connection,
                "SELECT owner_id, sum(limits), sum(rules) FROM ("
                "  SELECT owner_id, 1 AS limits, 0 AS rules, client_id, client_name "
                "    FROM owner_limits"
                "  UNION ALL SELECT owner_id, 0, 1, client_id, client_name FROM rules) "
                "WHERE client_id IS ?1 AND (?1 IS NOT NULL OR client_name = ?2) "
                "GROUP BY owner_id ORDER BY owner_id",
                client.client_id, client.client_name);
    while (query.step()) {
      out.push_back({.owner_id = query.text(0),
                     .has_limit = query.flag(1),
                     .rules = static_cast<std::uint64_t>(query.integer(2))});
    }
    return out;
  });
}

Result<> bind_owner_limits(Connection& connection, std::string_view name,
                           std::string_view client_id) {
  return guarded([&]() -> Result<> {
    Query(connection,
          "UPDATE owner_limits SET client_id = ? WHERE client_id IS NULL AND client_name = ?",
          client_id, name)
        .run();
    return {};
  });
}

Result<> rename_owner_limits(Connection& connection, std::string_view client_id,
                             std::string_view name) {
  return guarded([&]() -> Result<> {
    Query(connection, "UPDATE owner_limits SET client_name = ? WHERE client_id = ?", name,
          client_id)
        .run();
    return {};
  });
}

Result<> unbind_owner_limits(Connection& connection, std::string_view client_id,
                             std::string_view name) {
  return guarded([&]() -> Result<> {
    Query(connection,
          "DELETE FROM owner_limits WHERE client_id IS NULL AND client_name = ? "
          "AND owner_id IN (SELECT owner_id FROM owner_limits WHERE client_id = ?)",
          name, client_id)
        .run();
    Query(connection, "UPDATE owner_limits SET client_id = NULL WHERE client_id = ?", client_id)
        .run();
    return {};
  });
}

}  // namespace portunus::server::store
