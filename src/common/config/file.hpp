#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "common/base/result.hpp"

namespace portunus::config {

/// The whole file, at most `limit` bytes; a longer one is an error.
Result<std::string> read_file(const std::filesystem::path& path,
                              std::size_t limit = std::size_t{1} << 20);

/// Replaces the file in one step: a temporary file beside it, synced, then renamed over it. A
/// reader sees the old or the new contents, also after a crash. `mode` is subject to the umask.
Result<> replace_file(const std::filesystem::path& path, std::string_view contents, mode_t mode);

}  // namespace portunus::config
