#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "common/base/secret.hpp"

namespace portunus::crypto {

std::uint64_t random_u64();
/// Fills all of `out`, such as a salt.
void random_bytes(std::span<std::uint8_t> out);

/// 32 random bytes as unpadded base64url, 43 characters: every bearer token, code, session secret
/// and temporary password.
Secret random_token();

}  // namespace portunus::crypto
