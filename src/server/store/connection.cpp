#include "server/store/connection.hpp"

#include <sqlite3.h>

#include "server/store/errc.hpp"

namespace portunus::server::store {
namespace {

int open_flags(Connection::Access access) {
  if (access == Connection::Access::inspect) return SQLite::OPEN_READONLY | SQLite::OPEN_NOMUTEX;
  // Readers open for writing too: a WAL reader maintains the shared index. query_only keeps them
  // from changing anything.
  const int create = access == Connection::Access::write ? SQLite::OPEN_CREATE : 0;
  return SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX | create;
}

}  // namespace

Connection::Connection(const std::filesystem::path& path, Access access,
                       std::chrono::milliseconds busy_timeout)
    : database_(path.string(), open_flags(access), static_cast<int>(busy_timeout.count())),
      access_(access) {}

void Connection::configure() {
  const std::string mode = database_.execAndGet("PRAGMA journal_mode = WAL").getString();
  if (mode != "wal") throw SQLite::Exception("journal mode is " + mode, SQLITE_CANTOPEN);
  database_.exec("PRAGMA synchronous = NORMAL");
  database_.exec("PRAGMA foreign_keys = ON");
  database_.exec("PRAGMA temp_store = MEMORY");
  database_.exec("PRAGMA cache_size = -8192");
  if (access_ == Access::read) database_.exec("PRAGMA query_only = ON");
}

void Connection::leave_wal() {
  const std::string mode = database_.execAndGet("PRAGMA journal_mode = DELETE").getString();
  if (mode != "delete") throw SQLite::Exception("journal mode is " + mode, SQLITE_CANTOPEN);
}

void Connection::run_script(std::string_view sql) {
  database_.exec(std::string(sql));
}

SQLite::Statement& Connection::statement(std::string_view sql) {
  auto it = statements_.find(sql);
  if (it == statements_.end()) {
    it = statements_.try_emplace(std::string(sql), database_, std::string(sql)).first;
  }
  return it->second;
}

void Connection::begin(Access access) {
  Query(*this, access == Access::write ? "BEGIN IMMEDIATE" : "BEGIN DEFERRED").run();
}

void Connection::commit() {
  Query(*this, "COMMIT").run();
}

void Connection::rollback() noexcept {
  if (in_transaction()) database_.tryExec("ROLLBACK");
}

bool Connection::in_transaction() const noexcept {
  return sqlite3_get_autocommit(database_.getHandle()) == 0;
}

Error to_error(const SQLite::Exception& exception) {
  switch (exception.getErrorCode() & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {Errc::busy, exception.what()};
    case SQLITE_CONSTRAINT:
      return {Errc::constraint, exception.what()};
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      return {Errc::not_a_database, exception.what()};
    default:
      return {Errc::io, exception.what()};
  }
}

}  // namespace portunus::server::store
