#include "server/store/reset.hpp"

#include <unistd.h>

#include <cerrno>

#include "common/base/pending_file.hpp"
#include "server/store/database_file.hpp"
#include "server/store/errc.hpp"
#include "server/store/store.hpp"

namespace portunus::server::store {

Result<bool> reset(const std::filesystem::path& data_dir) {
  const std::filesystem::path database = data_dir / "state.db";
  if (const auto ours = check_sqlite_file(database); !ours) {
    if (ours.error() == Errc::source_not_found) return false;
    return fail(ours.error());
  }
  const auto lock = StoreLock::acquire(data_dir);
  if (!lock) return fail(lock.error());
  // The database first: SQLite drops a log that it finds beside a new one.
  if (::unlink(database.c_str()) != 0) return fail_errno(errno, "remove " + database.string());
  remove_side_files(database);
  ::unlink((data_dir / "state.db.lock").c_str());
  sync_directory(data_dir);
  return true;
}

}  // namespace portunus::server::store
