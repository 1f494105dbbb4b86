#include "common/crypto/digest.hpp"

#include <gtest/gtest.h>

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

TEST(Random, tokens_have_43_url_safe_characters_and_differ) {
  const std::string a = random_token().reveal();
  EXPECT_EQ(a.size(), 43U);
  EXPECT_EQ(a.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
            std::string::npos);
  EXPECT_NE(a, random_token().reveal());
}

}  // namespace
}  // namespace portunus::crypto
