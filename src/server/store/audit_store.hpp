#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"

namespace portunus::server::store {

class Connection;

enum class AuditOutcome : std::uint8_t { allow, deny };

/// One entry of the audit log (http-api 12, store-and-quotas 3). Nothing in it is a secret.
struct AuditRow {
  std::int64_t sequence = 0;  ///< given by the store
  SystemTime at;
  std::string actor;
  std::optional<std::string> role;
  std::string method;  ///< empty for an event that is no request
  std::string path;    ///< without the query
  AuditOutcome outcome = AuditOutcome::allow;
  std::optional<std::string> reason;
  std::optional<std::string> action;
  std::optional<std::string> resource_kind;
  std::optional<std::string> resource_value;
  std::optional<std::string> details;  ///< the text of a JSON object
  friend bool operator==(const AuditRow&, const AuditRow&) = default;
};

/// Which entries are wanted; both ends of the time belong to it.
struct AuditFilter {
  std::optional<AuditOutcome> outcome;
  std::optional<SystemTime> since;
  std::optional<SystemTime> until;
};

// Functions of one transaction.

/// Appends the rows in their order; their own sequences are ignored.
Result<> insert_audit(Connection& connection, std::span<const AuditRow> rows);
/// At most `limit` rows, newest first: by time, then by sequence. With `after`, only those that
/// follow the row of that sequence in this order; where that row is gone, those of a smaller
/// sequence.
Result<std::vector<AuditRow>> list_audit(Connection& connection, const AuditFilter& filter,
                                         std::optional<std::int64_t> after, std::size_t limit);
/// Entries older than `before`.
Result<std::int64_t> count_audit_before(Connection& connection, SystemTime before);
/// Removes the oldest of them, at most `limit`; how many went.
Result<std::int64_t> remove_audit_before(Connection& connection, SystemTime before,
                                         std::int64_t limit);
/// Removes the oldest beyond the newest `kept`, at most `limit`; how many went.
Result<std::int64_t> remove_audit_beyond(Connection& connection, std::int64_t kept,
                                         std::int64_t limit);

}  // namespace portunus::server::store
