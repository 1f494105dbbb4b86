#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace portunus::crypto {

using Sha256 = std::array<std::uint8_t, 32>;

Sha256 sha256(std::span<const std::uint8_t> data);
/// Lower-case hex of the SHA-256 of a text: how tokens, codes and secrets are stored.
std::string sha256_hex(std::string_view text);
/// HMAC-SHA256 (RFC 2104) of the parts one after the other; the key is at most 2^31 - 1 bytes.
Sha256 hmac_sha256(std::span<const std::uint8_t> key,
                   std::initializer_list<std::span<const std::uint8_t>> parts);
/// HKDF-Expand with SHA-256 (RFC 5869) into all of `out`, at most 255 * 32 bytes; the info is the
/// parts one after the other.
void hkdf_expand(std::span<const std::uint8_t> prk,
                 std::initializer_list<std::span<const std::uint8_t>> info,
                 std::span<std::uint8_t> out);
/// Equal, in time that depends on the lengths only.
bool equal_constant_time(std::string_view a, std::string_view b);
bool equal_constant_time(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b);
/// Overwrites a secret in a way that the compiler keeps.
void wipe(std::span<std::uint8_t> secret);

}  // namespace portunus::crypto
