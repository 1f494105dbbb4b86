#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace portunus {

/// Lower-case hex.
std::string hex_encode(std::span<const std::uint8_t> bytes);
/// Either case; nothing on an odd length or a foreign character.
std::optional<std::vector<std::uint8_t>> hex_decode(std::string_view text);

/// URL-safe base64 without padding (RFC 4648 section 5).
std::string base64url_encode(std::span<const std::uint8_t> bytes);
/// Nothing on padding, foreign characters or non-zero trailing bits.
std::optional<std::vector<std::uint8_t>> base64url_decode(std::string_view text);

inline std::span<const std::uint8_t> as_bytes(std::string_view s) {
  return {reinterpret_cast<const std::uint8_t*>(s.data()), s.size()};
}

}  // namespace portunus
