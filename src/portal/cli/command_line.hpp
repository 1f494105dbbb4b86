#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace portunus::portal::cli {

enum class Action : std::uint8_t { help, version, connect, serve };

/// Only the first argument counts (portal 1). Whatever is no word of ours is taken for the URL, and
/// so is none at all, which fails as one.
Action choose_action(std::optional<std::string_view> first);

/// "<program>-v<version> <os>/<arch>", without a line feed.
std::string version_line();

}  // namespace portunus::portal::cli
