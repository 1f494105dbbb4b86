#include "server/auth/password.hpp"

#include <gtest/gtest.h>

#include <regex>

#include "server/auth/errc.hpp"

namespace portunus::server::auth {
namespace {

Secret repeated(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return Secret(out);
}

TEST(Password, HTTP_3_7_at_least_12_scalar_values) {
  EXPECT_EQ(check_password(Secret()).error(), Errc::password_too_short);
  EXPECT_EQ(check_password(repeated("a", 11)).error(), Errc::password_too_short);
  EXPECT_TRUE(check_password(repeated("a", 12)));
  EXPECT_TRUE(check_password(repeated(" ", 12)));
  // Characters of several bytes count once: 11 of them have 44 bytes and are too few.
  EXPECT_EQ(check_password(repeated("\U0001F511", 11)).error(), Errc::password_too_short);
  EXPECT_TRUE(check_password(repeated("\U0001F511", 12)));
  EXPECT_TRUE(check_password(repeated("ß", 12)));
}

TEST(Password, HTTP_3_7_at_most_1024_bytes) {
  EXPECT_TRUE(check_password(repeated("a", 1024)));
  EXPECT_EQ(check_password(repeated("a", 1025)).error(), Errc::password_too_long);
  EXPECT_TRUE(check_password(repeated("ß", 512)));
  EXPECT_EQ(check_password(repeated("ß", 513)).error(), Errc::password_too_long);
}

TEST(Password, HTTP_3_7_the_stored_form) {
  const Secret password("correct horse battery");
  const auto hash = hash_password(password);
  ASSERT_TRUE(hash) << hash.error().text();
  // 16 bytes of salt and 32 of tag.
  EXPECT_TRUE(std::regex_match(
      *hash,
      std::regex(R"(\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43})")))
      << *hash;
  EXPECT_TRUE(verify_password(*hash, password).value());
  EXPECT_FALSE(verify_password(*hash, Secret("correct horse batterx")).value());
  EXPECT_FALSE(verify_password(*hash, Secret()).value());
  EXPECT_NE(hash_password(password).value(), *hash) << "the salt is fresh each time";
}

TEST(Password, every_byte_of_a_password_counts) {
  const Secret with_nul(std::string("correct\0horse battery", 21));
  const auto hash = hash_password(with_nul);
  ASSERT_TRUE(hash);
  EXPECT_TRUE(verify_password(*hash, with_nul).value());
  EXPECT_FALSE(verify_password(*hash, Secret(std::string("correct\0another thing", 21))).value());
}

TEST(Password, HTTP_3_7_any_valid_argon2_string_verifies) {
  const Secret password("correct horse battery");
  for (const char* hash :
       {"$argon2d$v=19$m=64,t=1,p=2$c29tZXNhbHQxMjM0NTY3OA$lsjARX0/yDl9uRFhJZCQimoeVvbRM9z0",
        "$argon2i$v=19$m=64,t=1,p=2$c29tZXNhbHQxMjM0NTY3OA$by42TmpsA/77KpTs5rCQpVz11vliBjBp",
        "$argon2id$v=19$m=64,t=1,p=2$c29tZXNhbHQxMjM0NTY3OA$dIGCbxtRpjN+lM5/bzlLlPekoegTUgga",
        "$argon2i$v=16$m=64,t=1,p=1$c29tZXNhbHQxMjM0NTY3OA$3q1B/aloTup4nK1fS+UvJ7eiDrGg68R85AN2dKcx"
        "mKk",
        "$argon2i$m=64,t=1,p=1$c29tZXNhbHQxMjM0NTY3OA$3q1B/"
        "aloTup4nK1fS+UvJ7eiDrGg68R85AN2dKcxmKk"}) {
    const auto right = verify_password(hash, password);
    ASSERT_TRUE(right) << hash;
    EXPECT_TRUE(*right) << hash;
    EXPECT_FALSE(verify_password(hash, Secret("incorrect horse battery")).value()) << hash;
  }
}

TEST(Password, what_is_no_hash_belongs_to_no_password) {
  for (const char* hash :
       {"", "secret", "$2b$12$abc", "$argon2id$", "$argon2id$v=19$m=1,t=0,p=1$a$b",
        "$argon2id$v=19$m=19456,t=2,p=1$cG9ydHVudXMtZHVtbXktMQ$"}) {
    const auto right = verify_password(hash, Secret("correct horse battery"));
    ASSERT_TRUE(right) << hash;
    EXPECT_FALSE(*right) << hash;
  }
}

TEST(Password, HTTP_3_7_the_dummy_costs_what_a_real_one_costs) {
  const std::string real = hash_password(Secret("correct horse battery")).value();
  const std::string& dummy = dummy_password_hash();
  const auto costs = [](const std::string& hash) { return hash.substr(0, hash.find("p=1$")); };
  EXPECT_EQ(costs(dummy), costs(real));
  EXPECT_EQ(dummy.size(), real.size());
  EXPECT_FALSE(verify_password(dummy, Secret("portunus dummy password tag")).value());
}

}  // namespace
}  // namespace portunus::server::auth
