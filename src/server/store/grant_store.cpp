#include "server/store/grant_store.hpp"

#include <string>

#include "server/store/connection.hpp"

namespace portunus::server::store {
namespace {

constexpr std::string_view kEveryClient = "*";

constexpr std::string_view kSelectGrants =
    "SELECT grant_id, user_id, client_id, client_name, listen_port_start, listen_port_end, tcp, "
    "udp, note, created_at FROM grants ";

GrantRow read_row(const Query& query) {
  GrantRow row;
  row.grant_id = query.text(0);
  row.user_id = query.text(1);
  std::string name = query.text(3);
  if (name != kEveryClient) row.client = ClientRef{query.optional_text(2), std::move(name)};
  row.listen_port_start = static_cast<std::uint16_t>(query.integer(4));
  row.listen_port_end = static_cast<std::uint16_t>(query.integer(5));
  row.tcp = query.flag(6);
  row.udp = query.flag(7);
  row.note = query.optional_text(8);
  row.created_at = query.time(9);
  return row;
}

std::vector<GrantRow> read_rows(Query&& query) {
  std::vector<GrantRow> out;
  while (query.step()) out.push_back(read_row(query));
  return out;
}

}  // namespace

Result<> insert_grant(Connection& connection, const GrantRow& grant) {
  return guarded([&]() -> Result<> {
    const ClientRef client = grant.client.value_or(ClientRef{{}, std::string(kEveryClient)});
    Query(connection,
          "INSERT INTO grants (grant_id, user_id, client_id, client_name, listen_port_start, "
          "listen_port_end, tcp, udp, note, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
          grant.grant_id, grant.user_id, client.client_id, client.client_name,
          grant.listen_port_start, grant.listen_port_end, grant.tcp, grant.udp, grant.note,
          grant.created_at)
        .run();
    return {};
  });
}

Result<std::optional<GrantRow>> find_grant(Connection& connection, std::string_view grant_id) {
  static const std::string sql = std::string(kSelectGrants) + "WHERE grant_id = ?";
  return guarded([&]() -> Result<std::optional<GrantRow>> {
    Query query(connection, sql, grant_id);
    if (!query.step()) return std::nullopt;
    return read_row(query);
  });
}

Result<std::vector<GrantRow>> list_grants(Connection& connection,
                                          std::optional<std::string_view> user_id) {
  // One statement for both would not use the index by user, and rules are pushed under it.
  static const std::string of_all = std::string(kSelectGrants) + "ORDER BY grant_id";
  static const std::string of_user =
      std::string(kSelectGrants) + "WHERE user_id = ? ORDER BY grant_id";
  return guarded([&]() -> Result<std::vector<GrantRow>> {
    return user_id ? read_rows(Query(connection, of_user, *user_id))
                   : read_rows(Query(connection, of_all));
  });
}

Result<std::int64_t> count_grants(Connection& connection) {
  return guarded([&]() -> Result<std::int64_t> {
    Query query(connection, "SELECT count(*) FROM grants");
    query.step();
    return query.integer(0);
  });
}

Result<bool> remove_grant(Connection& connection, std::string_view grant_id) {
  return guarded([&]() -> Result<bool> {
    return Query(connection, "DELETE FROM grants WHERE grant_id = ?", grant_id).run() > 0;
  });
}

Result<> bind_grants(Connection& connection, std::string_view name, std::string_view client_id) {
  return guarded([&]() -> Result<> {
    Query(connection, "UPDATE grants SET client_id = ? WHERE client_id IS NULL AND client_name = ?",
          client_id, name)
        .run();
    return {};
  });
}

Result<> rename_grants(Connection& connection, std::string_view client_id, std::string_view name) {
  return guarded([&]() -> Result<> {
    Query(connection, "UPDATE grants SET client_name = ? WHERE client_id = ?", name, client_id)
        .run();
    return {};
  });
}

}  // namespace portunus::server::store
