#pragma once

#include <filesystem>

#include "common/base/result.hpp"

namespace portunus::server::store {

/// Removes the store of a data directory (store-and-quotas 4): state.db, -wal, -shm and .lock.
/// False when there is none, which changes nothing. not_sqlite (the file is kept), in_use, or an
/// error of the system with the file that stays; the others are gone then, and the next call goes
/// on with it.
Result<bool> reset(const std::filesystem::path& data_dir);

}  // namespace portunus::server::store
