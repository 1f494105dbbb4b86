#include "common/crypto/digest.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <span>
#include <vector>

#include "common/base/hex.hpp"
#include "common/crypto/random.hpp"

namespace portunus::crypto {
namespace {

TEST(Digest, D2_hashes_with_sha256) {
  // FIPS 180-2, appendix B.1.
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Digest, constant_time_equality_is_equality) {
  EXPECT_TRUE(equal_constant_time("abc", "abc"));
  EXPECT_FALSE(equal_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_constant_time("abc", "abcd"));
  EXPECT_TRUE(equal_constant_time("", ""));
}

TEST(Digest, D2_authenticates_with_hmac_sha256) {
  // RFC 4231, cases 2 and 6: a short key, and one above the block size.
  EXPECT_EQ(hex_encode(hmac_sha256(as_bytes("Jefe"),
                                   {as_bytes("what do ya want "), as_bytes("for nothing?")})),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex_encode(hmac_sha256(std::vector<std::uint8_t>(131, 0xaa),
                                   {as_bytes("Test Using Larger Than Block-Size Key - "
                                             "Hash Key First")})),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  // An empty key is a key, not the one of the call before.
  EXPECT_EQ(hex_encode(hmac_sha256({}, {})),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(Digest, D2_expands_keys_as_rfc_5869_does) {
  // RFC 5869, A.1.
  const auto prk = *hex_decode("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
  const auto info = *hex_decode("f0f1f2f3f4f5f6f7f8f9");
  std::vector<std::uint8_t> out(42);
  hkdf_expand(prk, {std::span(info).first(3), std::span(info).subspan(3)}, out);
  EXPECT_EQ(hex_encode(out),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  hkdf_expand(prk, {info}, {});  // nothing asked, nothing written
}

TEST(Random, tokens_have_43_url_safe_characters_and_differ) {
  const std::string a = random_token().reveal();
  EXPECT_EQ(a.size(), 43U);
  EXPECT_EQ(a.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
            std::string::npos);
  EXPECT_NE(a, random_token().reveal());
}

}  // namespace
}  // namespace portunus::crypto
