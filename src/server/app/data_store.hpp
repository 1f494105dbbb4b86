#pragma once

#include <memory>

#include "common/config/data_dir.hpp"
#include "server/app/startup_failure.hpp"
#include "server/store/store.hpp"

namespace portunus::server::app {

/// The store under its lock. The lock outlives the store.
struct DataStore {
  store::StoreLock lock;
  std::unique_ptr<store::Store> store;
};

/// As `serve` opens it, in the order of store-and-quotas 2: file-system check, warnings about files
/// of old releases, lock, open, version check, migration. Every refusal logs its startup.* event.
Started<DataStore> open_data_store(const config::DataDir& dir);

}  // namespace portunus::server::app
