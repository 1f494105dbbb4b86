#include "common/config/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "common/net/unique_fd.hpp"

namespace portunus::config {
namespace {

Result<> write_all(int fd, std::string_view contents, const std::filesystem::path& path) {
  while (!contents.empty()) {
    const ssize_t n = ::write(fd, contents.data(), contents.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno(errno, "write " + path.string());
    contents.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

void sync_directory(const std::filesystem::path& directory) {
  const net::UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Some file systems refuse to sync a directory; the rename itself is done by then.
  if (fd) ::fsync(fd.get());
}

}  // namespace

Result<std::string> read_file(const std::filesystem::path& path, std::size_t limit) {
  const net::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return fail_errno(errno, "open " + path.string());
  std::string out;
  char buffer[8192];
  while (true) {
    const ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno(errno, "read " + path.string());
    if (n == 0) return out;
    out.append(buffer, static_cast<std::size_t>(n));
    if (out.size() > limit) return fail_errno(EFBIG, "read " + path.string());
  }
}

Result<> replace_file(const std::filesystem::path& path, std::string_view contents, mode_t mode) {
  const std::filesystem::path directory =
      path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  std::string temporary = (directory / ("." + path.filename().string() + ".XXXXXX")).string();
  net::UniqueFd fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd) return fail_errno(errno, "create " + temporary);
  const mode_t mask = ::umask(0);
  ::umask(mask);
  Result<> done = write_all(fd.get(), contents, temporary);
  if (done && ::fchmod(fd.get(), mode & ~mask) != 0) done = fail_errno(errno, "chmod " + temporary);
  if (done && ::fsync(fd.get()) != 0) done = fail_errno(errno, "sync " + temporary);
  if (done && ::rename(temporary.c_str(), path.c_str()) != 0) {
    done = fail_errno(errno, "rename to " + path.string());
  }
  if (!done) {
    ::unlink(temporary.c_str());
    return done;
  }
  sync_directory(directory);
  return {};
}

}  // namespace portunus::config
