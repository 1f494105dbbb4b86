#include "server/store/enrollment_store.hpp"

#include <string>

#include "server/store/connection.hpp"

namespace portunus::server::store {
namespace {

constexpr std::chrono::hours kKeptAfterEnd{24};

}  // namespace

Result<std::int64_t> insert_enrollment(Connection& connection, const EnrollmentRow& row) {
  return guarded([&]() -> Result<std::int64_t> {
    const SystemTime oldest = row.created_at - kKeptAfterEnd;
    Query(connection, "DELETE FROM enrollments WHERE consumed_at < ? OR expires_at < ?", oldest,
          oldest)
        .run();
    Query(connection,
          "UPDATE enrollments SET consumed_at = ? WHERE client_name = ? AND consumed_at IS NULL",
          row.created_at, row.client_name)
        .run();
    Query(connection,
          "INSERT INTO enrollments (client_name, address, code_hash, created_at, expires_at, "
          "consumed_at, endpoint) VALUES (?, ?, ?, ?, ?, ?, ?)",
          row.client_name, row.address, row.code_hash, row.created_at, row.expires_at,
          row.consumed_at, row.endpoint)
        .run();
    return connection.last_insert_id();
  });
}

Result<std::optional<EnrollmentRow>> find_enrollment(Connection& connection, std::int64_t id) {
  return guarded([&]() -> Result<std::optional<EnrollmentRow>> {
    Query query(connection,
                "SELECT enrollment_id, client_name, address, code_hash, created_at, expires_at, "
                "consumed_at, endpoint FROM enrollments WHERE enrollment_id = ?",
                id);
    if (!query.step()) return std::nullopt;
    return EnrollmentRow{.id = query.integer(0),
                         .client_name = query.text(1),
                         .address = query.optional_text(2),
                         .code_hash = query.text(3),
                         .created_at = query.time(4),
                         .expires_at = query.time(5),
                         .consumed_at = query.optional_time(6),
                         .endpoint = query.optional_text(7)};
  });
}

Result<> scan_enrollment_hashes(Connection& connection, const HashVisitor& visit) {
  return guarded([&]() -> Result<> {
    Query query(connection, "SELECT code_hash, enrollment_id FROM enrollments");
    while (query.step()) visit(query.text(0), std::to_string(query.integer(1)));
    return {};
  });
}

Result<bool> consume_enrollment(Connection& connection, std::int64_t id, SystemTime now) {
  return guarded([&]() -> Result<bool> {
    return Query(connection,
                 "UPDATE enrollments SET consumed_at = ? "
                 "WHERE enrollment_id = ? AND consumed_at IS NULL",
                 now, id)
               .run() > 0;
  });
}

Result<> rename_unused_enrollment(Connection& connection, std::string_view from,
                                  std::string_view to) {
  if (const auto gone = remove_unused_enrollment(connection, to); !gone) return gone;
  return guarded([&]() -> Result<> {
    Query(connection,
          "UPDATE enrollments SET client_name = ? WHERE client_name = ? AND consumed_at IS NULL",
          to, from)
        .run();
    return {};
  });
}

Result<> remove_unused_enrollment(Connection& connection, std::string_view client_name) {
  return guarded([&]() -> Result<> {
    Query(connection, "DELETE FROM enrollments WHERE client_name = ? AND consumed_at IS NULL",
          client_name)
        .run();
    return {};
  });
}

}  // namespace portunus::server::store
