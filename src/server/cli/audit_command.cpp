#include <limits>
#include <memory>
#include <ostream>
#include <string>

#include "common/base/rfc3339.hpp"
#include "server/cli/arguments.hpp"
#include "server/cli/exit_codes.hpp"
#include "server/cli/local_store.hpp"
#include "server/cli/output.hpp"
#include "server/store/audit_store.hpp"

// audit prune (cli-and-config 2.2, store-and-quotas 4).

namespace portunus::server::cli {
namespace {

struct PruneOptions {
  std::string before;
  bool dry_run = false;
};

/// Entries older than `before`: removed, or only counted.
Result<std::int64_t> prune_store(store::Store& store, SystemTime before, bool dry_run) {
  if (dry_run) {
    return store.read_now([&](store::Connection& connection) {
      return store::count_audit_before(connection, before);
    });
  }
  return store.write_now([&](store::Connection& connection) {
    return store::remove_audit_before(connection, before, std::numeric_limits<std::int64_t>::max());
  });
}

int prune(Context& context, const Globals& globals, const PruneOptions& options) {
  const auto before = parse_rfc3339(options.before);
  if (!before) {
    print_error(context.err, "--before must be RFC3339: \"" + options.before +
                                 "\" is not a time such as 2026-01-31T12:00:00Z");
    return kExitInvalid;
  }
  const auto local = open_local_store(context, globals);
  if (!local) return report(context.err, local.error());
  const Result<std::int64_t> entries = prune_store(*local->store, *before, options.dry_run);
  if (!entries) {
    print_error(context.err, entries.error().text());
    return kExitFailure;
  }
  context.out << "audit_prune " << (options.dry_run ? "dry_run=true would_delete=" : "deleted=")
              << *entries << '\n';
  return kExitOk;
}

}  // namespace

void add_audit_commands(Commands& commands) {
  CLI::App& group = commands.add_group(
      "audit", "Look after the audit log",
      "A running server removes entries over 90 days, and the oldest beyond 50000, by itself.");
  const auto options = std::make_shared<PruneOptions>();
  CLI::App& app =
      commands.add_to(group, "prune", "Remove the entries before an instant",
                      "The server must not be running.\n\nExample:\n"
                      "  portunus-server audit prune --before 2026-01-31T00:00:00Z --dry-run",
                      [options](Context& context, const Globals& globals) {
                        return prune(context, globals, *options);
                      });
  add_text(app, "--before", "The first instant whose entries stay", options->before)
      ->type_name("RFC3339")
      ->required();
  add_switch(app, "--dry-run", "Only count what would go", options->dry_run);
}

}  // namespace portunus::server::cli
