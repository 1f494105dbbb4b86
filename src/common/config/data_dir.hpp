#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "common/base/result.hpp"
#include "common/config/environment.hpp"

namespace portunus::config {

/// The server's data directory (cli-and-config 4): where it is and what stands in it.
struct DataDir {
  std::filesystem::path root;

  /// --data-dir, else $STATE_DIRECTORY, $XDG_STATE_HOME/portunus, $HOME/.local/state/portunus,
  /// ./portunus.state; empty variables are skipped.
  static DataDir locate(const std::optional<std::filesystem::path>& flag,
                        const Environment& environment);

  /// Makes it with mode 0750, parents included, unless it is there.
  Result<> create() const;

  std::filesystem::path database() const { return root / "state.db"; }
  std::filesystem::path config_file() const { return root / "server.toml"; }
  std::filesystem::path certificate() const { return root / "server.crt"; }
  std::filesystem::path key() const { return root / "server.key"; }
};

/// Names a file system, by its statfs magic, that cannot keep a SQLite database safe; nothing for
/// every other one.
std::optional<std::string_view> refused_filesystem(unsigned long magic);

/// The same for the nearest existing ancestor of `path`. A failing probe is accepted.
std::optional<std::string_view> probe_filesystem(const std::filesystem::path& path);

}  // namespace portunus::config
