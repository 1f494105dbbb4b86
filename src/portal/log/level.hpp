#pragma once

#include <cstdint>
#include <string_view>

namespace portunus::portal::log {

/// In order of rank: a record is shown when its level is not below the threshold (portal 3).
/// `none` is above all of them and only a threshold.
enum class Level : std::uint8_t { debug = 1, info, warn, error, event, none };

/// `none debug info warn error event`; all else, the empty text included, is info.
Level parse_level(std::string_view text);
/// As it stands in a record: DEBUG, INFO and so on.
std::string_view level_name(Level level);

}  // namespace portunus::portal::log
