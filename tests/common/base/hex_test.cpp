#include "common/base/hex.hpp"

#include <gtest/gtest.h>

namespace portunus {
namespace {

std::string text(const std::vector<std::uint8_t>& bytes) {
  return {bytes.begin(), bytes.end()};
}

TEST(Hex, encodes_lower_case_and_decodes_either_case) {
  const std::vector<std::uint8_t> bytes{0x00, 0x7f, 0x80, 0xff};
  EXPECT_EQ(hex_encode(bytes), "007f80ff");
  EXPECT_EQ(hex_decode("007F80fF"), bytes);
  EXPECT_EQ(hex_decode(""), std::vector<std::uint8_t>{});
}

TEST(Hex, refuses_odd_lengths_and_foreign_characters) {
  EXPECT_FALSE(hex_decode("0"));
  EXPECT_FALSE(hex_decode("0g"));
  EXPECT_FALSE(hex_decode("0x00"));
}

// RFC 4648 section 10, in the URL-safe alphabet without padding.
TEST(Base64Url, matches_the_vectors_of_rfc_4648) {
  const std::pair<const char*, const char*> vectors[] = {
      {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},         {"foo", "Zm9v"},
      {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : vectors) {
    EXPECT_EQ(base64url_encode(as_bytes(plain)), encoded);
    ASSERT_TRUE(base64url_decode(encoded)) << encoded;
    EXPECT_EQ(text(*base64url_decode(encoded)), plain);
  }
}

TEST(Base64Url, uses_the_url_safe_alphabet) {
  const std::vector<std::uint8_t> bytes{0xfb, 0xef, 0xff};
  EXPECT_EQ(base64url_encode(bytes), "--__");
  EXPECT_EQ(base64url_decode("--__"), bytes);
  EXPECT_FALSE(base64url_decode("++//"));
}

TEST(Base64Url, refuses_padding_impossible_lengths_and_stray_bits) {
  EXPECT_FALSE(base64url_decode("Zg=="));
  EXPECT_FALSE(base64url_decode("Z"));
  EXPECT_FALSE(base64url_decode("Zh"));
  EXPECT_FALSE(base64url_decode("Zm 9v"));
}

}  // namespace
}  // namespace portunus
