#pragma once

#include <expected>
#include <iosfwd>
#include <memory>
#include <string>

#include "common/config/data_dir.hpp"
#include "server/cli/arguments.hpp"
#include "server/store/store.hpp"

namespace portunus::server::cli {

/// The store under its lock, for one command. The lock outlives the store.
struct LocalStore {
  config::DataDir dir;
  store::StoreLock lock;
  std::unique_ptr<store::Store> store;
};

/// Why a command cannot have the store (cli-and-config 2.1, store condition).
struct StoreFailure {
  bool in_use = false;  ///< another process holds it
  std::string text;     ///< stands after "error: "
  int exit = 0;
};

/// Makes the data directory and the database where they are missing.
std::expected<LocalStore, StoreFailure> open_local_store(const Context& context,
                                                         const Globals& globals);
int report(std::ostream& err, const StoreFailure& failure);

}  // namespace portunus::server::cli
