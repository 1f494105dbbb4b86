#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

#include "common/base/result.hpp"

namespace portunus {

/// A file in the making beside its destination, under a name of its own (".<name>.XXXXXX"). It
/// becomes the destination in one step, or nothing is left of it. Errors are those of the system.
class PendingFile {
 public:
  /// Whether commit() may take the place of a file that is there.
  enum class Existing : std::uint8_t { replaced, kept };

  /// Empty, readable by nobody else until commit() gives it its mode.
  static Result<PendingFile> create(const std::filesystem::path& destination);
  PendingFile(PendingFile&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)),
        path_(std::move(other.path_)),
        destination_(std::move(other.destination_)) {}
  PendingFile& operator=(PendingFile&&) = delete;
  /// Removes what was not committed.
  ~PendingFile();

  int fd() const { return fd_; }
  const std::filesystem::path& path() const { return path_; }

  /// Syncs, renames, syncs the directory: after a crash there is the old file or the new one. With
  /// Existing::kept a destination that is there stays, and the error is EEXIST.
  Result<> commit(Existing existing, mode_t mode);

 private:
  PendingFile(int fd, std::string path, std::filesystem::path destination)
      : fd_(fd), path_(std::move(path)), destination_(std::move(destination)) {}

  int fd_;
  std::filesystem::path path_;
  std::filesystem::path destination_;
};

/// Makes a rename or a removal in `directory` survive a power cut, where the file system can.
void sync_directory(const std::filesystem::path& directory);

/// `mode` less what the process's umask takes from new files. Not while other threads make files.
mode_t masked(mode_t mode);

}  // namespace portunus
