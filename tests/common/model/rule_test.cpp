#include "common/model/rule.hpp"

#include <gtest/gtest.h>

namespace portunus::model {
namespace {

using net::HostnameFault;

TEST(TargetHost, DNS_1_is_classified_once) {
  EXPECT_EQ(parse_target_host("10.0.0.1"), "10.0.0.1");
  EXPECT_EQ(parse_target_host("[2001:DB8::1]"), "[2001:db8::1]");
  EXPECT_EQ(parse_target_host("Db.Example.com."), "db.example.com");
}

TEST(TargetHost, DNS_1_bare_and_mapped_ipv6_are_refused) {
  for (const char* bad : {"::1", "2001:db8::1", "[10.0.0.1]", "[]", "[::1", "256.1.1.1", "1.2.3",
                          "[::ffff:10.0.0.1]", "::ffff:10.0.0.1"}) {
    EXPECT_EQ(parse_target_host(bad).error(), HostnameFault::other) << bad;
  }
  EXPECT_EQ(parse_target_host("-a").error(), HostnameFault::label_hyphen);
}

TEST(Target, literals_dial_without_a_resolver) {
  EXPECT_EQ((Target{"10.0.0.1", 80}).literal()->text(), "10.0.0.1:80");
  EXPECT_EQ((Target{"[::1]", 80}).literal()->text(), "[::1]:80");
  EXPECT_FALSE((Target{"db.example.com", 80}).literal());
  EXPECT_EQ((Target{"[::1]", 80}).text(), "[::1]:80");
}

}  // namespace
}  // namespace portunus::model
