#include "server/store/audit_store.hpp"

#include <string_view>

#include "server/store/connection.hpp"

namespace portunus::server::store {
namespace {

constexpr std::string_view kDeny = "deny";

std::string_view outcome_text(AuditOutcome outcome) {
  switch (outcome) {
    case AuditOutcome::allow:
      return "allow";
    case AuditOutcome::deny:
      return kDeny;
  }
  return "";
}

AuditRow row_of(const Query& query) {
  return {.sequence = query.integer(0),
          .at = query.time(1),
          .actor = query.text(2),
          .role = query.optional_text(3),
          .method = query.text(4),
          .path = query.text(5),
          .outcome = query.text(6) == kDeny ? AuditOutcome::deny : AuditOutcome::allow,
          .reason = query.optional_text(7),
          .action = query.optional_text(8),
          .resource_kind = query.optional_text(9),
          .resource_value = query.optional_text(10),
          .details = query.optional_text(11)};
}

/// Where a page begins: behind this row, in the order of the pages.
struct Place {
  SystemTime at;
  std::int64_t sequence = 0;
};

std::optional<Place> place_of(Connection& connection, std::int64_t sequence) {
  Query query(connection, "SELECT at FROM audit WHERE sequence = ?", sequence);
  if (!query.step()) return std::nullopt;
  return Place{query.time(0), sequence};
}

}  // namespace

Result<> insert_audit(Connection& connection, std::span<const AuditRow> rows) {
  return guarded([&]() -> Result<> {
    for (const AuditRow& row : rows) {
      Query(connection,
            "INSERT INTO audit (at, actor, role, method, path, outcome, reason, action, "
            "resource_kind, resource_value, details) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            row.at, row.actor, row.role, row.method, row.path, outcome_text(row.outcome),
            row.reason, row.action, row.resource_kind, row.resource_value, row.details)
          .run();
    }
    return {};
  });
}

Result<std::vector<AuditRow>> list_audit(Connection& connection, const AuditFilter& filter,
                                         std::optional<std::int64_t> after, std::size_t limit) {
  return guarded([&]() -> Result<std::vector<AuditRow>> {
    const auto place = after ? place_of(connection, *after) : std::nullopt;
    // The index needs one bound for the time: the earlier of the page's and the filter's.
    std::optional<SystemTime> latest = filter.until;
    if (place && (!latest || place->at < *latest)) latest = place->at;
    const auto outcome = filter.outcome ? std::optional(outcome_text(*filter.outcome))
                                        : std::optional<std::string_view>();
    const std::optional<SystemTime> place_at = place ? std::optional(place->at) : std::nullopt;
    Query query(connection,
                "SELECT sequence, at, actor, role, method, path, outcome, reason, action, "
                "resource_kind, resource_value, details FROM audit "
                "WHERE at >= ifnull(?1, -9223372036854775807 - 1) "
                "AND at <= ifnull(?2, 9223372036854775807) "
                "AND (?3 IS NULL OR outcome = ?3) "
                "AND (?4 IS NULL OR (CASE WHEN ?5 IS NULL THEN sequence < ?4 "
                "ELSE at < ?5 OR (at = ?5 AND sequence < ?4) END)) "
                "ORDER BY at DESC, sequence DESC LIMIT ?6",
                filter.since, latest, outcome, after, place_at, limit);
    std::vector<AuditRow> out;
    while (query.step()) out.push_back(row_of(query));
    return out;
  });
}

Result<std::int64_t> count_audit_before(Connection& connection, SystemTime before) {
  return guarded([&]() -> Result<std::int64_t> {
    Query query(connection, "SELECT count(*) FROM audit WHERE at < ?", before);
    query.step();
    return query.integer(0);
  });
}

Result<std::int64_t> remove_audit_before(Connection& connection, SystemTime before,
                                         std::int64_t limit) {
  return guarded([&]() -> Result<std::int64_t> {
    return Query(connection,
                 "DELETE FROM audit WHERE sequence IN "
                 "(SELECT sequence FROM audit WHERE at < ? ORDER BY at, sequence LIMIT ?)",
                 before, limit)
        .run();
  });
}

Result<std::int64_t> remove_audit_beyond(Connection& connection, std::int64_t kept,
                                         std::int64_t limit) {
  return guarded([&]() -> Result<std::int64_t> {
    return Query(connection,
                 "DELETE FROM audit WHERE sequence IN "
                 "(SELECT sequence FROM audit ORDER BY at, sequence "
                 "LIMIT max(0, min(?2, (SELECT count(*) FROM audit) - ?1)))",
                 kept, limit)
        .run();
  });
}

}  // namespace portunus::server::store
