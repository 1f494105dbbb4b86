#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace portunus::crypto {

using Sha256 = std::array<std::uint8_t, 32>;

Sha256 sha256(std::span<const std::uint8_t> data);
/// Lower-case hex of the SHA-256 of a text: how tokens, codes and secrets are stored.
std::string sha256_hex(std::string_view text);
/// Equal, in time that depends on the lengths only.
bool equal_constant_time(std::string_view a, std::string_view b);

}  // namespace portunus::crypto
