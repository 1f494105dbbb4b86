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

Secret random_token() {
  std::array<std::uint8_t, 32> bytes;
  PORTUNUS_ASSERT(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1);
  return Secret(base64url_encode(bytes));
}

}  // namespace portunus::crypto
