#include "common/model/names.hpp"

#include <gtest/gtest.h>

namespace portunus::model {
namespace {

TEST(Names, client_names_follow_their_grammar) {
  for (const char* ok : {"a", "edge-01", "0", "a-b-c"}) EXPECT_TRUE(is_client_name(ok)) << ok;
  EXPECT_TRUE(is_client_name(std::string(63, 'a')));
  for (const char* bad : {"", "-a", "a-", "a--b", "A", "a_b", "a.b", "a b", "\xC3\xBC"}) {
    EXPECT_FALSE(is_client_name(bad)) << bad;
  }
  EXPECT_FALSE(is_client_name(std::string(64, 'a')));
}

TEST(Names, user_ids_and_reserved_ids_do_not_overlap) {
  for (const char* ok : {"a", "alice", "a1_-"}) {
    EXPECT_TRUE(is_user_id(ok));
    EXPECT_FALSE(is_reserved_user_id(ok));
  }
  EXPECT_TRUE(is_user_id("a" + std::string(31, 'b')));
  EXPECT_FALSE(is_user_id("a" + std::string(32, 'b')));
  for (const char* bad : {"", "1a", "_x", "Alice", "a.b"}) EXPECT_FALSE(is_user_id(bad)) << bad;
  EXPECT_TRUE(is_reserved_user_id("_superadmin"));
  EXPECT_FALSE(is_reserved_user_id("_"));
}

TEST(Names, display_names_are_trimmed_and_bounded) {
  EXPECT_EQ(parse_display_name("  Ops team "), "Ops team");
  EXPECT_FALSE(parse_display_name(" \t"));
  EXPECT_TRUE(parse_display_name(std::string(64, 'x')));
  EXPECT_FALSE(parse_display_name(std::string(65, 'x')));
}

TEST(Names, client_addresses_are_bare_hosts) {
  EXPECT_EQ(parse_client_address(" Edge.Example.com. "), "edge.example.com");
  EXPECT_EQ(parse_client_address("10.0.0.1"), "10.0.0.1");
  EXPECT_EQ(parse_client_address("2001:DB8::0"), "2001:db8::");
  for (const char* bad : {"", " ", "http://a", "a/b", "a:80", "[::1]", "a b"}) {
    EXPECT_FALSE(parse_client_address(bad)) << bad;
  }
}

}  // namespace
}  // namespace portunus::model
