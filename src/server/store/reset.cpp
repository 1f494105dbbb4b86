#include "server/store/reset.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "common/base/pending_file.hpp"
#include "server/store/database_file.hpp"
#include "server/store/errc.hpp"
#include "server/store/store.hpp"

namespace portunus::server::store {
namespace {

Result<> remove_file(const std::filesystem::path& file) {
  if (::unlink(file.c_str()) == 0 || errno == ENOENT) return {};
  return fail_errno(errno, "remove " + file.string());
}

bool is_there(const std::filesystem::path& file) {
  struct stat found{};
  return ::lstat(file.c_str(), &found) == 0;
}

}  // namespace

Result<bool> reset(const std::filesystem::path& data_dir) {
  const std::filesystem::path database = data_dir / "state.db";
  const std::filesystem::path lock_file = data_dir / "state.db.lock";
  if (const auto ours = check_sqlite_file(database); !ours) {
    if (ours.error() != Errc::source_not_found) return fail(ours.error());
    // Also what a reset that failed half-way has left.
    if (!has_side_files(database) && !is_there(lock_file)) return false;
  }
  const auto lock = StoreLock::acquire(data_dir);
  if (!lock) return fail(lock.error());
  // The database first: SQLite drops a log that it finds beside a new one.
  if (const auto removed = remove_file(database); !removed) return fail(removed.error());
  const Result<> beside_it = remove_side_files(database);
  const Result<> own_lock = remove_file(lock_file);
  sync_directory(data_dir);
  if (!beside_it) return fail(beside_it.error());
  if (!own_lock) return fail(own_lock.error());
  return true;
}

}  // namespace portunus::server::store
