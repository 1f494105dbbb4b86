#include "server/store/migrator.hpp"

#include <charconv>
#include <map>
#include <string>

#include "common/base/assert.hpp"
#include "common/base/rfc3339.hpp"
#include "common/crypto/digest.hpp"
#include "migration_files.hpp"
#include "server/store/errc.hpp"

namespace portunus::server::store {
namespace {

std::vector<Migration> load_embedded() {
  std::vector<Migration> out;
  for (const auto& [file, sql] : migration_files::kFiles) {
    const auto split = file.find("__");
    PORTUNUS_ASSERT(file.starts_with('V') && file.ends_with(".sql") &&
                    split != std::string_view::npos);
    int version = 0;
    std::from_chars(file.data() + 1, file.data() + split, version);
    PORTUNUS_ASSERT(version == static_cast<int>(out.size()) + 1);
    out.push_back({version, file.substr(split + 2, file.size() - split - 6), sql});
  }
  return out;
}

constexpr std::string_view kVersionTable =
    "CREATE TABLE schema_migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, "
    "applied_on TEXT NOT NULL, checksum TEXT NOT NULL) STRICT";

std::string step_text(const Migration& step) {
  return "migration " + std::to_string(step.version) + " (" + std::string(step.name) + ")";
}

Result<> check_applied(Connection& connection, std::span<const Migration> steps) {
  std::map<std::int64_t, std::string> applied;
  Query query(connection, "SELECT version, checksum FROM schema_migrations");
  while (query.step()) applied.emplace(query.integer(0), query.text(1));
  for (const Migration& step : steps) {
    const auto it = applied.find(step.version);
    if (it != applied.end() && it->second != crypto::sha256_hex(step.sql)) {
      return fail({Errc::migration_failed, step_text(step) + " was applied with other content"});
    }
  }
  return {};
}

void apply(Connection& connection, const Migration& step, SystemTime now) {
  connection.begin(Connection::Access::write);
  if (step.version == 1) {
    connection.run_script("PRAGMA application_id = " + std::to_string(kApplicationId));
    connection.run_script(kVersionTable);
  }
  connection.run_script(step.sql);
  Query(connection, "INSERT INTO schema_migrations VALUES (?, ?, ?, ?)", step.version, step.name,
        format_rfc3339_seconds(now), crypto::sha256_hex(step.sql))
      .run();
  connection.commit();
}

}  // namespace

std::span<const Migration> embedded_migrations() {
  static const std::vector<Migration> steps = load_embedded();
  return steps;
}

Result<int> read_schema_version(Connection& connection) {
  return guarded([&]() -> Result<int> {
    Query id(connection, "PRAGMA application_id");
    id.step();
    const std::int64_t application = id.integer(0);
    Query tables(connection, "SELECT count(*) FROM sqlite_schema");
    tables.step();
    // A file without any table is one whose creation was cut short.
    if (application == 0 && tables.integer(0) == 0) return 0;
    if (application != kApplicationId) {
      return fail({Errc::not_a_database, "the file belongs to another program"});
    }
    Query version(connection, "SELECT max(version) FROM schema_migrations");
    version.step();
    return static_cast<int>(version.integer(0));
  });
}

Result<> migrate(Connection& connection, int from, std::span<const Migration> steps,
                 SystemTime now) {
  if (from > 0) {
    const Result<> same = guarded([&] { return check_applied(connection, steps); });
    if (!same) return same;
  }
  for (const Migration& step : steps) {
    if (step.version <= from) continue;
    try {
      apply(connection, step, now);
    } catch (const SQLite::Exception& exception) {
      connection.rollback();
      return fail({Errc::migration_failed, step_text(step) + ": " + exception.what()});
    }
  }
  return {};
}

}  // namespace portunus::server::store
