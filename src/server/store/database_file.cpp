#include "server/store/database_file.hpp"

#include <SQLiteCpp/Backup.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <string>
#include <string_view>

#include "common/base/scope_exit.hpp"
#include "server/store/connection.hpp"
#include "server/store/errc.hpp"
#include "server/store/migrator.hpp"

namespace portunus::server::store {
namespace {

constexpr std::string_view kHeader("SQLite format 3\0", 16);
constexpr std::array kSideFiles = {"-wal", "-shm", "-journal"};
/// 1 MiB of pages of the usual size.
constexpr int kPagesPerStep = 256;
constexpr std::chrono::milliseconds kPatience{5000};

/// The bytes got, which are fewer at the end of the file; -1 with errno.
ssize_t read_start(int fd, char* into, std::size_t size) {
  std::size_t got = 0;
  while (got < size) {
    const ssize_t n = ::read(fd, into + got, size - got);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -1;
    if (n == 0) break;
    got += static_cast<std::size_t>(n);
  }
  return static_cast<ssize_t>(got);
}

void copy_pages(Connection& source, Connection& into) {
  SQLite::Backup copy(into.database(), source.database());
  int state;
  do {
    state = copy.executeStep(kPagesPerStep);
  } while (state == SQLITE_OK);
  if (state != SQLITE_DONE) throw SQLite::Exception("the copy was not finished", state);
}

}  // namespace

std::filesystem::path beside(const std::filesystem::path& database, const char* suffix) {
  return {database.string() + suffix};
}

Result<> check_sqlite_file(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return fail({Errc::source_not_found, path.string()});
    return fail_errno(errno, "open " + path.string());
  }
  const ScopeExit close([&] { ::close(fd); });
  char bytes[kHeader.size()];
  const ssize_t got = read_start(fd, bytes, sizeof bytes);
  if (got < 0 && errno != EISDIR) return fail_errno(errno, "read " + path.string());
  if (got < 0 || std::string_view(bytes, static_cast<std::size_t>(got)) != kHeader) {
    return fail({Errc::not_sqlite, path.string()});
  }
  return {};
}

Result<> copy_database(const std::filesystem::path& from, const std::filesystem::path& to) {
  return guarded([&]() -> Result<> {
    Connection source(from, Connection::Access::inspect, kPatience);
    // One read transaction from the first page to the last: nobody waits for it, because in WAL
    // mode readers and writers do not meet, and without it every foreign commit between two steps
    // would begin the copy anew.
    source.begin(Connection::Access::read);
    const ScopeExit end([&] { source.rollback(); });
    const Result<int> version = read_schema_version(source);
    if (!version) return fail(version.error());
    if (*version == 0) return fail({Errc::not_a_database, "it is empty: " + from.string()});
    Connection copy(to, Connection::Access::write, kPatience);
    copy_pages(source, copy);
    copy.leave_wal();
    return {};
  });
}

bool has_side_files(const std::filesystem::path& database) {
  return std::ranges::any_of(kSideFiles, [&](const char* suffix) {
    struct stat found{};
    return ::lstat(beside(database, suffix).c_str(), &found) == 0;
  });
}

Result<> remove_side_files(const std::filesystem::path& database) {
  Result<> out;
  for (const char* suffix : kSideFiles) {
    const std::filesystem::path file = beside(database, suffix);
    if (::unlink(file.c_str()) != 0 && errno != ENOENT && out) {
      out = fail_errno(errno, "remove " + file.string());
    }
  }
  return out;
}

}  // namespace portunus::server::store
