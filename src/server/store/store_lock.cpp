#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "server/store/store.hpp"

namespace portunus::server::store {
namespace {

/// False when the file was removed or replaced since it was opened: the lock on it guards nothing.
bool still_named(int fd, const std::filesystem::path& path) {
  struct stat opened{};
  struct stat named{};
  return ::fstat(fd, &opened) == 0 && ::stat(path.c_str(), &named) == 0 &&
         opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

}  // namespace

Result<StoreLock> StoreLock::acquire(const std::filesystem::path& data_dir) {
  const std::filesystem::path path = data_dir / "state.db.lock";
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (fd < 0) return fail_errno(errno, path.string());
  int locked;
  do {
    locked = ::flock(fd, LOCK_EX | LOCK_NB);
  } while (locked != 0 && errno == EINTR);
  if (locked == 0 && still_named(fd, path)) return StoreLock(fd);
  const int error = errno;
  ::close(fd);
  if (locked == 0) return acquire(data_dir);  // a reset took the file away meanwhile
  if (error == EWOULDBLOCK) return fail({Errc::in_use, (data_dir / "state.db").string()});
  return fail_errno(error, path.string());
}

StoreLock::~StoreLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace portunus::server::store
