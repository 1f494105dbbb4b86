#pragma once

#include <filesystem>

#include "common/base/result.hpp"

// Databases as files: what backup, restore and reset do before and beside SQLite.

namespace portunus::server::store {

/// "<database>-wal" or "-shm": SQLite's own files beside the database.
std::filesystem::path beside(const std::filesystem::path& database, const char* suffix);

/// Judges the first 16 bytes (store-and-quotas 4). source_not_found when there is no file,
/// not_sqlite for other bytes, a shorter file or a directory, an error of the system when it cannot
/// be read. The path is the detail.
Result<> check_sqlite_file(const std::filesystem::path& path);

/// Copies one consistent snapshot of the database at `from`, which others may be writing to, into
/// the empty file at `to`, a part of it at a time. Changes nothing at `from`. The copy stands
/// alone, without a write-ahead log. not_a_database when `from` is not ours; whatever version it
/// has is copied.
Result<> copy_database(const std::filesystem::path& from, const std::filesystem::path& to);

/// Whether there is one of the files that remove_side_files removes.
bool has_side_files(const std::filesystem::path& database);
/// Removes what SQLite may have left beside the file; one that is not there is no error. The first
/// that cannot be removed is the error of the system, the others go all the same.
Result<> remove_side_files(const std::filesystem::path& database);

}  // namespace portunus::server::store
