#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace portunus::portal::config {

/// A signed 32-bit decimal: digits behind at most one sign, nothing around them.
std::optional<std::int32_t> parse_i32(std::string_view text);

}  // namespace portunus::portal::config
