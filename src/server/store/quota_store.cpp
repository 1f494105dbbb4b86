#include "server/store/quota_store.hpp"

#include "server/store/connection.hpp"

namespace portunus::server::store {
namespace {

QuotaRow read_row(const Query& query) {
  QuotaRow row;
  row.id = query.integer(0);
  row.user_id = query.text(1);
  row.client = {query.optional_text(2), query.text(3)};
  row.monthly_bytes = query.integer(4);
  row.billing_anchor = query.integer(5);
  row.period_started_at = query.integer(6);
  row.bytes_used = query.integer(7);
  if (!query.null(8)) row.exhausted_at = query.integer(8);
  row.created_at = query.integer(9);
  row.updated_at = query.integer(10);
  return row;
}

}  // namespace

Result<std::int64_t> insert_quota(Connection& connection, const QuotaRow& quota) {
  return guarded([&]() -> Result<std::int64_t> {
    Query(connection,
          "INSERT INTO traffic_quotas (user_id, client_id, client_name, monthly_bytes, "
          "billing_anchor, current_period_started_at, current_period_bytes_used, exhausted_at, "
          "created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
          quota.user_id, quota.client.client_id, quota.client.client_name, quota.monthly_bytes,
          quota.billing_anchor, quota.period_started_at, quota.bytes_used, quota.exhausted_at,
          quota.created_at, quota.updated_at)
        .run();
    return connection.last_insert_id();
  });
}

Result<std::optional<QuotaRow>> find_quota(Connection& connection, const ClientRef& client,
                                           std::string_view user_id) {
  return guarded([&]() -> Result<std::optional<QuotaRow>> {
    Query query(connection,
                "SELECT quota_id, user_id, client_id, client_name, monthly_bytes, billing_anchor, "
                "current_period_started_at, current_period_bytes_used, exhausted_at, created_at, "
                "updated_at FROM traffic_quotas "
                "WHERE client_id IS ?1 AND user_id = ?3 AND (?1 IS NOT NULL OR client_name = ?2)",
                client.client_id, client.client_name, user_id);
    if (!query.step()) return std::nullopt;
    return read_row(query);
  });
}

Result<std::vector<QuotaRow>> list_quotas(Connection& connection) {
  return guarded([&]() -> Result<std::vector<QuotaRow>> {
    std::vector<QuotaRow> out;
    Query query(connection,
                "SELECT quota_id, user_id, client_id, client_name, monthly_bytes, billing_anchor, "
                "current_period_started_at, current_period_bytes_used, exhausted_at, created_at, "
                "updated_at FROM traffic_quotas");
    while (query.step()) out.push_back(read_row(query));
    return out;
  });
}

Result<> update_quota(Connection& connection, const QuotaRow& quota) {
  return guarded([&]() -> Result<> {
    Query(connection,
          "UPDATE traffic_quotas SET monthly_bytes = ?, current_period_started_at = ?, "
          "current_period_bytes_used = ?, exhausted_at = ?, updated_at = ? WHERE quota_id = ?",
          quota.monthly_bytes, quota.period_started_at, quota.bytes_used, quota.exhausted_at,
          quota.updated_at, quota.id)
        .run();
    return {};
  });
}

Result<bool> remove_quota(Connection& connection, const ClientRef& client,
                          std::string_view user_id) {
  return guarded([&]() -> Result<bool> {
    return Query(connection,
                 "DELETE FROM traffic_quotas "
                 "WHERE client_id IS ?1 AND user_id = ?3 AND (?1 IS NOT NULL OR client_name = ?2)",
                 client.client_id, client.client_name, user_id)
               .run() > 0;
  });
}

Result<> bind_quotas(Connection& connection, std::string_view name, std::string_view client_id) {
  return guarded([&]() -> Result<> {
    Query(connection,
          "UPDATE traffic_quotas SET client_id = ? WHERE client_id IS NULL AND client_name = ?",
          client_id, name)
        .run();
    return {};
  });
}

Result<> rename_quotas(Connection& connection, std::string_view client_id, std::string_view name) {
  return guarded([&]() -> Result<> {
    Query(connection, "UPDATE traffic_quotas SET client_name = ? WHERE client_id = ?", name,
          client_id)
        .run();
    return {};
  });
}

Result<> unbind_quotas(Connection& connection, std::string_view client_id, std::string_view name) {
  return guarded([&]() -> Result<> {
    Query(connection,
          "DELETE FROM traffic_quotas WHERE client_id IS NULL AND client_name = ? "
          "AND user_id IN (SELECT user_id FROM traffic_quotas WHERE client_id = ?)",
          name, client_id)
        .run();
    Query(connection, "UPDATE traffic_quotas SET client_id = NULL WHERE client_id = ?", client_id)
        .run();
    return {};
  });
}

}  // namespace portunus::server::store
