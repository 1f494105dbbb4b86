#pragma once

#include <system_error>

namespace portunus::server::store {

enum class Errc {
  busy = 1,          ///< SQLITE_BUSY or SQLITE_LOCKED past the time-out: transient
  constraint,        ///< a uniqueness or foreign-key rule refused the change
  not_a_database,    ///< not a SQLite file, or not our application id
  schema_too_new,    ///< written by a newer release
  migration_failed,  ///< a migration did not apply; the database stays at the previous version
  in_use,            ///< another process holds the store lock
  io,                ///< disk full, permission, or any other failure of the file
  closed,            ///< the store was closed while the call waited
  // Of backup, restore and reset (cli-and-config 2.2); their messages are what operators read.
  source_not_found,       ///< there is no database to copy
  destination_exists,     ///< a backup overwrites nothing
  destination_not_empty,  ///< restore replaces a store only when told to
  not_sqlite,             ///< the first 16 bytes are not those of SQLite
  backup_too_new,         ///< restore: written by a newer release
};

const std::error_category& category();
inline std::error_code make_error_code(Errc e) {
  return {static_cast<int>(e), category()};
}

}  // namespace portunus::server::store

template <>
struct std::is_error_code_enum<portunus::server::store::Errc> : std::true_type {};
