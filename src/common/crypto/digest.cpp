#include "common/crypto/digest.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "common/base/assert.hpp"
#include "common/base/hex.hpp"

namespace portunus::crypto {

Sha256 sha256(std::span<const std::uint8_t> data) {
  Sha256 out;
  unsigned length = 0;
  PORTUNUS_ASSERT(
      EVP_Digest(data.data(), data.size(), out.data(), &length, EVP_sha256(), nullptr) == 1);
  return out;
}

std::string sha256_hex(std::string_view text) {
  return hex_encode(sha256(as_bytes(text)));
}

bool equal_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace portunus::crypto
