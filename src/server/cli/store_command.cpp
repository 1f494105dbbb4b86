#include <ostream>
#include <utility>

#include "common/config/data_dir.hpp"
#include "common/log/logger.hpp"
#include "server/cli/arguments.hpp"
#include "server/cli/exit_codes.hpp"
#include "server/cli/output.hpp"
#include "server/store/backup.hpp"
#include "server/store/database_file.hpp"
#include "server/store/reset.hpp"
#include "server/store/restore.hpp"
#include "server/store/store.hpp"

// The care of the store: what an operator does to state.db as a file (store-and-quotas 4). None of
// these commands opens the store itself.

namespace portunus::server::cli {
namespace {

struct StoreOptions {
  std::string path;
  bool given = false;  ///< --force or --confirm
};

config::DataDir locate(const Context& context, const Globals& globals) {
  return config::DataDir::locate(globals.data_dir, context.environment);
}

/// The one table of cli-and-config 2.2, storage errors.
int exit_code_of(const Error& error) {
  if (error.code.category() != store::category()) return kExitFailure;
  switch (static_cast<store::Errc>(error.code.value())) {
    case store::Errc::source_not_found:
      return kExitSourceMissing;
    case store::Errc::destination_exists:
    case store::Errc::destination_not_empty:
      return kExitDestinationExists;
    case store::Errc::not_sqlite:
      return kExitNotSqlite;
    case store::Errc::in_use:
      return kExitStoreInUse;
    case store::Errc::backup_too_new:
    case store::Errc::schema_too_new:
      return kExitSchemaTooNew;
    case store::Errc::migration_failed:
      return kExitMigrationFailed;
    case store::Errc::busy:
    case store::Errc::constraint:
    case store::Errc::not_a_database:
    case store::Errc::io:
    case store::Errc::closed:
      return kExitFailure;
  }
  return kExitFailure;
}

int refuse(Context& context, const Error& error) {
  print_error(context.err, error.text());
  return exit_code_of(error);
}

int backup(Context& context, const Globals& globals, const StoreOptions& options) {
  const auto database = locate(context, globals).database();
  const auto written = store::backup(database, options.path, context.clock.now());
  if (!written) return refuse(context, written.error());
  log::log(log::Event::cli_backup_complete,
           {{"src", database.string()}, {"dst", written->string()}, {"outcome", "ok"}});
  context.out << "backup=" << written->string() << '\n';
  return kExitOk;
}

/// In the order of cli-and-config 2.2: the source is judged before anything else is looked at, and
/// before a data directory is made for it.
Result<> restore_into(const config::DataDir& dir, const StoreOptions& options, const Clock& clock) {
  if (const auto source = store::check_sqlite_file(options.path); !source) return source;
  if (const auto created = dir.create(); !created) return created;
  return store::restore(
      {.source = options.path, .data_dir = dir.root, .replace = options.given, .now = clock.now()});
}

int restore(Context& context, const Globals& globals, const StoreOptions& options) {
  const auto dir = locate(context, globals);
  if (const auto restored = restore_into(dir, options, context.clock); !restored) {
    log::log(log::Event::cli_restore_failed,
             {{"src", options.path}, {"error", restored.error().text()}});
    return refuse(context, restored.error());
  }
  log::log(log::Event::cli_restore_complete,
           {{"src", options.path}, {"dst", dir.database().string()}, {"outcome", "ok"}});
  context.out << "restore=ok data_dir=" << dir.root.string() << '\n';
  return kExitOk;
}

int reset(Context& context, const Globals& globals, const StoreOptions& options) {
  const auto dir = locate(context, globals);
  if (!options.given) {
    context.out << "would remove: " << dir.database().string()
                << "\ndry-run: pass --confirm to proceed\n";
    return kExitOk;
  }
  const auto removed = store::reset(dir.root);
  if (!removed) return refuse(context, removed.error());
  log::log(log::Event::cli_reset_complete,
           {{"data_dir", dir.root.string()}, {"outcome", *removed ? "ok" : "noop"}});
  return kExitOk;
}

}  // namespace

void add_store_commands(Commands& commands) {
  const auto saving = std::make_shared<StoreOptions>();
  CLI::App& save = commands.add(
      "backup", "Copy the store to a file, also while the server runs",
      "The copy is one consistent moment of the store. An existing file is never overwritten; in "
      "a\n"
      "directory the copy gets a name of its own.\n\nExamples:\n"
      "  portunus-server backup --out /var/backups\n"
      "  portunus-server --data-dir /var/lib/portunus backup --out /var/backups/today.db",
      [saving](Context& context, const Globals& globals) {
        return backup(context, globals, *saving);
      });
  add_text(save, "--out", "The file to make, or an existing directory", saving->path)
      ->required()
      ->type_name("PATH");

  const auto restoring = std::make_shared<StoreOptions>();
  CLI::App& load = commands.add(
      "restore", "Make the store from a backup",
      "The server must not be running. TLS files and server.toml stay as they are. Whatever is "
      "wrong\nwith the backup, the present store is kept.\n\nExamples:\n"
      "  portunus-server restore --in /var/backups/today.db\n"
      "  portunus-server restore --in /var/backups/today.db --force",
      [restoring](Context& context, const Globals& globals) {
        return restore(context, globals, *restoring);
      });
  add_text(load, "--in", "The backup", restoring->path)->required()->type_name("PATH");
  add_switch(load, "--force", "Also where there is a store: it is replaced", restoring->given);

  const auto resetting = std::make_shared<StoreOptions>();
  CLI::App& clear =
      commands.add("reset", "Remove the store: users, clients, rules, history",
                   "Without --confirm it only says what it would remove. TLS files and server.toml "
                   "stay. The\nserver must not be running.\n\nExamples:\n"
                   "  portunus-server reset\n"
                   "  portunus-server reset --confirm",
                   [resetting](Context& context, const Globals& globals) {
                     return reset(context, globals, *resetting);
                   });
  add_switch(clear, "--confirm", "Do it", resetting->given);
}

}  // namespace portunus::server::cli
