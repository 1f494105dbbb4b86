#include "server/cli/local_store.hpp"

#include <utility>

#include "server/cli/exit_codes.hpp"
#include "server/cli/output.hpp"

namespace portunus::server::cli {
namespace {

std::unexpected<StoreFailure> refuse(const Error& error) {
  if (error == store::Errc::in_use) {
    return std::unexpected(StoreFailure{true, error.text(), kExitStoreInUse});
  }
  const int exit = error == store::Errc::schema_too_new ? kExitSchemaTooNew : kExitFailure;
  return std::unexpected(StoreFailure{false, error.text(), exit});
}

}  // namespace

std::expected<LocalStore, StoreFailure> open_local_store(const Context& context,
                                                         const Globals& globals) {
  const auto dir = config::DataDir::locate(globals.data_dir, context.environment);
  if (const auto created = dir.create(); !created) return refuse(created.error());
  auto lock = store::StoreLock::acquire(dir.root);
  if (!lock) return refuse(lock.error());
  // A command makes a handful of transactions, one after the other.
  auto store = store::Store::open({.path = dir.database(), .readers = 1});
  if (!store) return refuse(store.error());
  return LocalStore{dir, std::move(*lock), std::move(*store)};
}

int report(std::ostream& err, const StoreFailure& failure) {
  print_error(err, failure.text);
  return failure.exit;
}

}  // namespace portunus::server::cli
