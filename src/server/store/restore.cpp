#include "server/store/restore.hpp"

#include <string>
#include <system_error>

#include "common/base/pending_file.hpp"
#include "common/base/scope_exit.hpp"
#include "common/log/logger.hpp"
#include "server/store/connection.hpp"
#include "server/store/database_file.hpp"
#include "server/store/errc.hpp"
#include "server/store/migrator.hpp"
#include "server/store/store.hpp"

namespace portunus::server::store {
namespace {

constexpr std::chrono::milliseconds kPatience{5000};

bool is_there(const std::filesystem::path& path) {
  std::error_code ec;
  return std::filesystem::exists(std::filesystem::symlink_status(path, ec));
}

/// A log that the database has not taken in, or a journal to undo half of a transaction with.
bool is_at_rest(const std::filesystem::path& database) {
  return !is_there(beside(database, "-wal")) && !is_there(beside(database, "-journal"));
}

/// A file without a log or a journal beside it is complete and at rest, so its bytes are enough: it
/// may lie where nothing can be written, and nothing is left beside it. With one, only SQLite knows
/// what belongs to it; half of a transaction that is still to be undone it refuses.
Result<> copy_source(const std::filesystem::path& source, const std::filesystem::path& to) {
  if (!is_at_rest(source)) return copy_database(source, to);
  std::error_code ec;
  std::filesystem::copy_file(source, to, std::filesystem::copy_options::overwrite_existing, ec);
  if (ec) return fail(Error(ec, "copy " + source.string()));
  return {};
}

/// A page that is damaged in the backup would be damaged in the store, and found out much later.
Result<> check_pages(Connection& copy) {
  Query check(copy, "PRAGMA integrity_check(1)");
  check.step();
  const std::string finding = check.text(0);
  if (finding == "ok") return {};
  return fail({Errc::not_a_database, "damaged: " + finding});
}

Result<> refuse_newer(const std::filesystem::path& source, int version) {
  const int supported = Store::supported_schema_version();
  log::log(log::Event::schema_too_new,
           {{"path", source.string()}, {"on_disk", version}, {"binary_supports", supported}});
  return fail({Errc::backup_too_new, "backup at version " + std::to_string(version) +
                                         " > supported " + std::to_string(supported)});
}

/// Makes an ordinary, current store of the copy.
Result<> bring_up_to_date(const std::filesystem::path& path, const RestoreOptions& options) {
  return guarded([&]() -> Result<> {
    Connection copy(path, Connection::Access::write, kPatience);
    const Result<int> version = read_schema_version(copy);
    if (!version) return fail(version.error());
    if (*version > Store::supported_schema_version()) {
      return refuse_newer(options.source, *version);
    }
    if (const auto whole = check_pages(copy); !whole) return whole;
    copy.configure();  // migrations run as `serve` runs them
    const auto migrated = migrate(copy, *version, embedded_migrations(), options.now);
    if (!migrated) return migrated;
    copy.leave_wal();
    return {};
  });
}

/// The log or the journal of the old database must not stand beside the new one. What they hold
/// goes into the old file first, so that nothing is lost or left half done should the exchange fail
/// after that. A file that is no database any more has nothing to lose.
Result<> settle_old(const std::filesystem::path& database) {
  if (is_there(database) && !is_at_rest(database)) {
    const auto settled = guarded([&]() -> Result<> {
      Connection old(database, Connection::Access::write, kPatience);
      // The first to read it undoes what the journal tells of; a checkpoint alone does not read.
      Query(old, "SELECT count(*) FROM sqlite_schema").step();
      Query checkpoint(old, "PRAGMA wal_checkpoint(TRUNCATE)");
      checkpoint.step();
      if (checkpoint.flag(0)) return fail({Errc::busy, database.string()});
      return {};
    });
    if (!settled && settled.error() != Errc::not_a_database) return settled;
  }
  return remove_side_files(database);
}

}  // namespace

Result<> restore(const RestoreOptions& options) {
  const std::filesystem::path database = options.data_dir / "state.db";
  const auto occupied = [&] { return !options.replace && is_there(database); };
  if (occupied()) return fail({Errc::destination_not_empty, database.string()});
  const auto lock = StoreLock::acquire(options.data_dir);
  if (!lock) return fail(lock.error());
  if (occupied()) return fail({Errc::destination_not_empty, database.string()});

  auto pending = PendingFile::create(database);
  if (!pending) return fail(pending.error());
  const ScopeExit clean([path = pending->path()] { (void)remove_side_files(path); });
  if (const auto copied = copy_source(options.source, pending->path()); !copied) return copied;
  if (const auto ready = bring_up_to_date(pending->path(), options); !ready) return ready;
  if (const auto settled = settle_old(database); !settled) return settled;
  return pending->commit(PendingFile::Existing::replaced, masked(0666));
}

}  // namespace portunus::server::store
