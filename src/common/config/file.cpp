#include "common/config/file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "common/base/pending_file.hpp"
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
  auto pending = PendingFile::create(path);
  if (!pending) return fail(pending.error());
  if (const auto written = write_all(pending->fd(), contents, pending->path()); !written) {
    return written;
  }
  return pending->commit(PendingFile::Existing::replaced, masked(mode));
}

}  // namespace portunus::config
