#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

namespace portunus::server::app {

/// A data directory below the build folder: the system's temporary folder may be a tmpfs, which
/// `serve` refuses.
class ScratchDir {
 public:
  ScratchDir() {
    std::string pattern = (std::filesystem::current_path() / "app-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~ScratchDir() {
    std::error_code ec;
    std::filesystem::remove_all(path_, ec);
  }
  ScratchDir(const ScratchDir&) = delete;
  ScratchDir& operator=(const ScratchDir&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace portunus::server::app
