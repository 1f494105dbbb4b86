#pragma once

#include <filesystem>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"

namespace portunus::server::store {

/// Copies the database to `out` while others may be writing to it, without the store lock and
/// without migrating (store-and-quotas 4). Where `out` is a directory, the copy is
/// portunus-state-<now>.db in it; missing parents are made. Returns the path of the copy, which is
/// as readable as the database. source_not_found, destination_exists, or any other error of the
/// store or the system; on an error there is no file. Blocks.
Result<std::filesystem::path> backup(const std::filesystem::path& database,
                                     const std::filesystem::path& out, SystemTime now);

}  // namespace portunus::server::store
