#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"

namespace portunus::server::store {

/// One SQLite connection with its prepared statements. Used by one thread at a time. Its own
/// functions and those of Query throw SQLite::Exception; the entity stores turn that into an Error
/// with guarded(), so that none leaves this folder.
class Connection {
 public:
  /// `inspect` is a file that must not change, whoever else uses it (backup).
  enum class Access : std::uint8_t { write, read, inspect };

  /// Opens (for writing: or creates) the file without reading it.
  Connection(const std::filesystem::path& path, Access access,
             std::chrono::milliseconds busy_timeout);

  /// The settings of store-and-quotas 2, the journal mode included; writes only where the file is
  /// not in WAL mode yet.
  void configure();
  /// Leaves WAL mode, so that after the last connection the file stands alone. Not in a
  /// transaction; nobody else may have the file open.
  void leave_wal();
  /// One or more statements without results, not cached.
  void run_script(std::string_view sql);
  /// The statement for a literal, prepared at its first use.
  SQLite::Statement& statement(std::string_view sql);
  SQLite::Database& database() { return database_; }
  std::int64_t last_insert_id() const { return database_.getLastInsertRowid(); }

  /// Begins a transaction, which is immediate for a writer. It ends with exactly one of
  /// commit() and rollback(); rollback() cannot fail and may follow a failed commit().
  void begin(Access access);
  void commit();
  void rollback() noexcept;
  /// Not any more after some failures, such as a full disk: SQLite itself has rolled back.
  bool in_transaction() const noexcept;

 private:
  SQLite::Database database_;
  Access access_;
  std::map<std::string, SQLite::Statement, std::less<>> statements_;
};

/// One use of a prepared statement: bound at construction, reset at the end of the scope. Columns
/// count from 0.
class Query {
 public:
  template <class... Args>
  Query(Connection& connection, std::string_view sql, const Args&... args)
      : statement_(connection.statement(sql)) {
    int index = 0;
    (bind(++index, args), ...);
  }
  ~Query() {
    statement_.tryReset();
    statement_.clearBindings();
  }
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  /// True while there is a row.
  bool step() { return statement_.executeStep(); }
  /// For a change: the number of rows it touched.
  int run() { return statement_.exec(); }

  std::int64_t integer(int column) const { return statement_.getColumn(column).getInt64(); }
  bool flag(int column) const { return integer(column) != 0; }
  std::string text(int column) const { return statement_.getColumn(column).getString(); }
  SystemTime time(int column) const { return from_unix_micros(integer(column)); }
  bool null(int column) const { return statement_.isColumnNull(column); }
  std::optional<std::string> optional_text(int column) const {
    return null(column) ? std::nullopt : std::optional(text(column));
  }
  std::optional<SystemTime> optional_time(int column) const {
    return null(column) ? std::nullopt : std::optional(time(column));
  }

 private:
  template <class T>
    requires std::is_integral_v<T>
  void bind(int index, T value) {
    statement_.bind(index, static_cast<std::int64_t>(value));
  }
  void bind(int index, std::string_view value) { statement_.bind(index, std::string(value)); }
  void bind(int index, SystemTime value) { statement_.bind(index, to_unix_micros(value)); }
  template <class T>
  void bind(int index, const std::optional<T>& value) {
    if (value) {
      bind(index, *value);
    } else {
      statement_.bind(index);
    }
  }

  SQLite::Statement& statement_;
};

Error to_error(const SQLite::Exception& exception);

/// Runs `fn` (() -> Result<T>) and turns an exception of SQLite into its Error.
template <class F>
auto guarded(F fn) -> std::invoke_result_t<F> {
  try {
    return fn();
  } catch (const SQLite::Exception& exception) {
    return fail(to_error(exception));
  }
}

}  // namespace portunus::server::store
