#include "standalone/viewer_format.hpp"

#include <fmt/format.h>

#include <array>

namespace portunus::standalone {

std::string format_bytes(double bytes) {
  constexpr std::array kUnits{"B", "KB", "MB", "GB", "TB", "PB"};
  std::size_t unit = 0;
  // What would be rounded up to 1024.0 is shown in the next unit.
  while (bytes >= 1023.95 && unit + 1 < kUnits.size()) {
    bytes /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f} {}", bytes, kUnits[unit]);
}

std::string format_rate(double bytes_per_second) {
  return format_bytes(bytes_per_second) + "/s";
}

}  // namespace portunus::standalone
