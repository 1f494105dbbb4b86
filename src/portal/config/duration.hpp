#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace portunus::portal::config {

/// What a duration text says, which may be longer than a timer can count.
struct LongDuration {
  std::uint64_t seconds = 0;
  std::uint32_t nanoseconds = 0;

  /// Cut at a hundred years, so that it can be added to any instant.
  std::chrono::nanoseconds bounded() const;
  friend bool operator==(const LongDuration&, const LongDuration&) = default;
};

/// `<digits><unit>` once or more, with blanks where they help, or a lone `0` (portal 15). Nothing
/// for all else and for what overflows 64 bits of seconds.
std::optional<LongDuration> parse_duration(std::string_view text);

}  // namespace portunus::portal::config
