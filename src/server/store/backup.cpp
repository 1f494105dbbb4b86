#include "server/store/backup.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "common/base/pending_file.hpp"
#include "common/base/rfc3339.hpp"
#include "common/base/scope_exit.hpp"
#include "server/store/database_file.hpp"
#include "server/store/errc.hpp"

namespace portunus::server::store {
namespace {

/// "portunus-state-20260217T084509Z.db"
std::string dated_name(SystemTime now) {
  std::string stamp = format_rfc3339_seconds(now);
  std::erase_if(stamp, [](char c) { return c == '-' || c == ':'; });
  return "portunus-state-" + stamp + ".db";
}

std::filesystem::path find_target(const std::filesystem::path& out, SystemTime now) {
  std::error_code ec;
  // "dir/" means a directory also where there is none yet.
  const bool directory = !out.has_filename() || std::filesystem::is_directory(out, ec);
  return directory ? out / dated_name(now) : out;
}

}  // namespace

Result<std::filesystem::path> backup(const std::filesystem::path& database,
                                     const std::filesystem::path& out, SystemTime now) {
  if (out.empty()) return fail_errno(EINVAL, "no path for the copy");
  struct stat source{};
  if (::stat(database.c_str(), &source) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) {
      return fail({Errc::source_not_found, database.string()});
    }
    return fail_errno(errno, database.string());
  }
  const std::filesystem::path target = find_target(out, now);
  std::error_code ignored;
  if (std::filesystem::exists(std::filesystem::symlink_status(target, ignored))) {
    return fail({Errc::destination_exists, target.string()});
  }
  if (target.has_parent_path()) {
    std::error_code ec;
    std::filesystem::create_directories(target.parent_path(), ec);
    if (ec) return fail(Error(ec, "create " + target.parent_path().string()));
  }

  auto pending = PendingFile::create(target);
  if (!pending) return fail(pending.error());
  const ScopeExit clean([path = pending->path()] { (void)remove_side_files(path); });
  const auto copied = copy_database(database, pending->path());
  if (!copied) return fail(copied.error());
  const auto kept = pending->commit(PendingFile::Existing::kept, source.st_mode & 0777U);
  if (kept) return target;
  if (kept.error() == std::make_error_code(std::errc::file_exists)) {
    return fail({Errc::destination_exists, target.string()});
  }
  return fail(kept.error());
}

}  // namespace portunus::server::store
