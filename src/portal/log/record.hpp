#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "portal/log/level.hpp"

namespace portunus::portal::log {

/// Bytes below 0x20 and 0x7f as %XX, so that a text of a peer stays within its record.
std::string escaped(std::string_view text);

/// One record with its line feed (portal 3), in local time. `colour` puts the level between its
/// SGR sequence and a reset.
std::string format_record(std::chrono::system_clock::time_point when, Level level,
                          std::string_view message, bool colour);

/// The line of a failed start (portal 3), with its line feed.
std::string format_start_failure(std::string_view error);

/// `portunus-portal`, and `<os>/<arch>` of this build.
inline constexpr std::string_view kProgram = "portunus-portal";
std::string_view platform();

}  // namespace portunus::portal::log
