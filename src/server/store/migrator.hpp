#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "server/store/connection.hpp"

namespace portunus::server::store {

/// One step of the schema, compiled in from migrations/V<version>__<name>.sql.
struct Migration {
  int version;
  std::string_view name;
  std::string_view sql;
};

/// Ascending from 1 without gaps.
std::span<const Migration> embedded_migrations();

/// Marks our files in SQLite's header: "PORT".
inline constexpr std::int64_t kApplicationId = 0x504F5254;

/// The schema version of an open file, 0 for an empty one. not_a_database when it is not ours;
/// changes nothing.
Result<int> read_schema_version(Connection& connection);

/// Applies what is newer than `from`, each step in its own transaction together with its row in
/// schema_migrations (store-and-quotas 2). migration_failed leaves the version before the failing
/// step; so does a step that is recorded with another content than ours.
Result<> migrate(Connection& connection, int from, std::span<const Migration> steps,
                 SystemTime now);

}  // namespace portunus::server::store
