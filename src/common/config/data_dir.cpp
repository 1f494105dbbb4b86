#include "common/config/data_dir.hpp"

#include <sys/stat.h>
#include <sys/vfs.h>

#include <cerrno>

namespace portunus::config {
namespace {

/// "a/b/" and "a/b/." are a/b: what is behind it would be taken for the folder, and this one for a
/// parent of it.
std::filesystem::path without_tail(std::filesystem::path path) {
  while (path.has_relative_path() && path.has_parent_path() &&
         (path.filename().empty() || path.filename() == ".")) {
    path = path.parent_path();
  }
  return path;
}

}  // namespace

DataDir DataDir::locate(const std::optional<std::filesystem::path>& flag,
                        const Environment& environment) {
  if (flag) return {*flag};
  if (const auto dir = non_empty(environment, "STATE_DIRECTORY")) return {*dir};
  if (const auto dir = non_empty(environment, "XDG_STATE_HOME")) {
    return {std::filesystem::path(*dir) / "portunus"};
  }
  if (const auto dir = non_empty(environment, "HOME")) {
    return {std::filesystem::path(*dir) / ".local/state/portunus"};
  }
  return {"./portunus.state"};
}

Result<> DataDir::create() const {
  std::error_code ec;
  if (std::filesystem::is_directory(root, ec)) return {};
  const std::filesystem::path folder = without_tail(root);
  if (folder.has_parent_path()) {
    std::filesystem::create_directories(folder.parent_path(), ec);
    if (ec) return fail(Error(ec, "create " + folder.parent_path().string()));
  }
  if (::mkdir(folder.c_str(), 0750) != 0 && errno != EEXIST) {
    return fail_errno(errno, "create " + root.string());
  }
  return {};
}

std::optional<std::string_view> refused_filesystem(unsigned long magic) {
  switch (magic) {
    case 0x6969:
      return "nfs";
    case 0x517B:
      return "smbfs";
    case 0xFE534D42:
      return "smb2";
    case 0x01021994:
      return "tmpfs";
    case 0x858458F6:
      return "ramfs";
    case 0x65735546:
      return "fuse";
    case 0x73757245:
      return "ceph";
    default:
      return std::nullopt;
  }
}

std::optional<std::string_view> probe_filesystem(const std::filesystem::path& path) {
  std::error_code ec;
  std::filesystem::path probe = std::filesystem::absolute(path, ec);
  while (!std::filesystem::exists(probe, ec) && probe.has_relative_path()) {
    probe = probe.parent_path();
  }
  struct statfs stats;
  if (::statfs(probe.c_str(), &stats) != 0) return std::nullopt;
  // The magic is 32 bits wide, but f_type is signed and as wide as a long.
  return refused_filesystem(static_cast<unsigned long>(stats.f_type) & 0xFFFFFFFFUL);
}

}  // namespace portunus::config
