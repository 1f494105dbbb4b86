#include "common/crypto/digest.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "common/base/assert.hpp"
#include "common/base/hex.hpp"

namespace portunus::crypto {
namespace {

struct FreeMac {
  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};
using MacContext = std::unique_ptr<EVP_MAC_CTX, FreeMac>;

/// Looking an algorithm up takes a lock and many string compares, so each thread does it once.
MacContext new_hmac_sha256() {
  EVP_MAC* hmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  PORTUNUS_ASSERT(hmac != nullptr);
  MacContext context(EVP_MAC_CTX_new(hmac));
  EVP_MAC_free(hmac);  // the context holds on to it
  PORTUNUS_ASSERT(context != nullptr);
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end()};
  PORTUNUS_ASSERT(EVP_MAC_CTX_set_params(context.get(), parameters) == 1);
  return context;
}

/// A context that is not used a second time while it is in use.
EVP_MAC_CTX* thread_hmac_sha256() {
  thread_local const MacContext context = new_hmac_sha256();
  return context.get();
}

}  // namespace

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

Sha256 hmac_sha256(std::span<const std::uint8_t> key,
                   std::initializer_list<std::span<const std::uint8_t>> parts) {
  EVP_MAC_CTX* const context = thread_hmac_sha256();
  // A null key would mean the one before.
  static constexpr std::uint8_t kNoKey[1] = {};
  PORTUNUS_ASSERT(EVP_MAC_init(context, key.empty() ? kNoKey : key.data(), key.size(), nullptr) ==
                  1);
  for (const auto part : parts) {
    PORTUNUS_ASSERT(EVP_MAC_update(context, part.data(), part.size()) == 1);
  }
  Sha256 out;
  std::size_t length = 0;
  PORTUNUS_ASSERT(EVP_MAC_final(context, out.data(), &length, out.size()) == 1 &&
                  length == out.size());
  return out;
}

void hkdf_expand(std::span<const std::uint8_t> prk,
                 std::initializer_list<std::span<const std::uint8_t>> info,
                 std::span<std::uint8_t> out) {
  PORTUNUS_ASSERT(out.size() <= 255 * sizeof(Sha256));
  std::vector<std::uint8_t> joined;
  for (const auto part : info) joined.insert(joined.end(), part.begin(), part.end());
  Sha256 block{};
  std::span<const std::uint8_t> before;  // the block before, of which the first has none
  for (std::uint8_t number = 1; !out.empty(); ++number) {
    block = hmac_sha256(prk, {before, joined, {&number, 1}});
    before = block;
    const std::size_t taken = std::min(out.size(), block.size());
    std::copy_n(block.begin(), taken, out.begin());
    out = out.subspan(taken);
  }
  wipe(block);
}

bool equal_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

bool equal_constant_time(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

void wipe(std::span<std::uint8_t> secret) {
  OPENSSL_cleanse(secret.data(), secret.size());
}

}  // namespace portunus::crypto
