#include "common/crypto/random.hpp"

#include <openssl/rand.h>

#include "common/base/assert.hpp"
#include "common/base/hex.hpp"

namespace portunus::crypto {

std::uint64_t random_u64() {
  std::uint64_t out = 0;
  PORTUNUS_ASSERT(RAND_bytes(reinterpret_cast<unsigned char*>(&out), sizeof out) == 1);
  return out;
}

void random_bytes(std::span<std::uint8_t> out) {
  PORTUNUS_ASSERT(RAND_bytes(out.data(), static_cast<int>(out.size())) == 1);
}

Secret random_token() {
  std::array<std::uint8_t, 32> bytes;
  random_bytes(bytes);
  return Secret(base64url_encode(bytes));
}

}  // namespace portunus::crypto
