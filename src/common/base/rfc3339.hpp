#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/base/clock.hpp"

namespace portunus {

/// "2026-02-17T08:45:09.482113Z": always six fraction digits.
std::string format_rfc3339_micros(SystemTime t);
/// As the API prints instants: 0, 3 or 6 fraction digits, whichever is enough, and `suffix`.
std::string format_rfc3339(SystemTime t, std::string_view suffix = "Z");
/// "2026-02-17T08:45:09Z": cut to whole seconds.
std::string format_rfc3339_seconds(SystemTime t);

/// Any RFC 3339 date-time with Z or a numeric offset; digits past microseconds are dropped.
std::optional<SystemTime> parse_rfc3339(std::string_view text);

}  // namespace portunus
