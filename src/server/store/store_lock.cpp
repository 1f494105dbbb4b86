#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "server/store/store.hpp"

namespace portunus::server::store {

Result<StoreLock> StoreLock::acquire(const std::filesystem::path& data_dir) {
  const std::filesystem::path path = data_dir / "state.db.lock";
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (fd < 0) return fail_errno(errno, path.string());
  int locked;
  do {
    locked = ::flock(fd, LOCK_EX | LOCK_NB);
  } while (locked != 0 && errno == EINTR);
  if (locked == 0) return StoreLock(fd);
  const int error = errno;
  ::close(fd);
  if (error == EWOULDBLOCK) return fail({Errc::in_use, (data_dir / "state.db").string()});
  return fail_errno(error, path.string());
}

StoreLock::~StoreLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace portunus::server::store
