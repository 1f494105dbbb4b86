#pragma once

#include <filesystem>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"

namespace portunus::server::store {

struct RestoreOptions {
  std::filesystem::path source;    ///< judged by check_sqlite_file() before
  std::filesystem::path data_dir;  ///< exists
  bool replace = false;            ///< also where there is a state.db
  SystemTime now;                  ///< of the migrations
};

/// Makes state.db from a backup (store-and-quotas 4): copies it beside, checks its pages, brings it
/// up to this release's schema, and only then lets it take the place of the old one, in one step
/// and under the store lock. On an error the old state is untouched: destination_not_empty, in_use,
/// backup_too_new (which also logs startup.schema_version_too_new), migration_failed, or any other
/// of the store or the system. Blocks.
Result<> restore(const RestoreOptions& options);

}  // namespace portunus::server::store
