#include "common/base/pending_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace portunus {
namespace {

std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

/// Zero, or the errno.
int rename_to(const std::filesystem::path& from, const std::filesystem::path& to,
              PendingFile::Existing existing) {
  if (existing == PendingFile::Existing::replaced) {
    return ::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
  }
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  // A file system without that flag has links, which refuse an existing name too.
  if (::link(from.c_str(), to.c_str()) != 0) return errno;
  ::unlink(from.c_str());
  return 0;
}

}  // namespace

Result<PendingFile> PendingFile::create(const std::filesystem::path& destination) {
  std::string path =
      (folder_of(destination) / ("." + destination.filename().string() + ".XXXXXX")).string();
  const int fd = ::mkostemp(path.data(), O_CLOEXEC);
  if (fd < 0) return fail_errno(errno, "create " + path);
  return PendingFile(fd, std::move(path), destination);
}

PendingFile::~PendingFile() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(path_.c_str());
}

Result<> PendingFile::commit(Existing existing, mode_t mode) {
  if (::fchmod(fd_, mode) != 0) return fail_errno(errno, "chmod " + path_.string());
  if (::fsync(fd_) != 0) return fail_errno(errno, "sync " + path_.string());
  if (const int error = rename_to(path_, destination_, existing)) {
    return fail_errno(error, "rename to " + destination_.string());
  }
  ::close(std::exchange(fd_, -1));
  sync_directory(folder_of(destination_));
  return {};
}

void sync_directory(const std::filesystem::path& directory) {
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  // Some file systems refuse to sync a directory; what was changed in it is done by then.
  ::fsync(fd);
  ::close(fd);
}

mode_t masked(mode_t mode) {
  const mode_t mask = ::umask(0);
  ::umask(mask);
  return mode & ~mask;
}

}  // namespace portunus
