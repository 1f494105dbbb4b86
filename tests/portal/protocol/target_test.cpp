#include "portal/protocol/target.hpp"

#include <gtest/gtest.h>

#include <string>

#include "portal/protocol/errc.hpp"

namespace portunus::portal::protocol {
namespace {

TEST(PortalTarget, S6_5_what_the_frames_take) {
  for (const char* target :
       {"example.com:443", "1.2.3.4:80", "[::1]:443", ":443", "h:abc", "x:0", "[]:80", "[x]:y",
        "[::1]:80:90", "a[b:1", "uot.nowhere.invalid:0", "caf\xc3\xa9:1", "a b:1", "[::1]::"}) {
    EXPECT_TRUE(check_target(target)) << target;
  }
  EXPECT_TRUE(check_target(std::string(510, 'h') + ":1"));
}

TEST(PortalTarget, S6_5_what_they_refuse) {
  for (const char* target :
       {"example.com:", "example.com", "::1:443", ":", "::", "a:b:c", "[::1]", "[::1]:", "[::1]443",
        "[::1", "[", "[::1]x:80", "[]", "caf\xe9:1", "x:\xff", "\xed\xa0\x80:1"}) {
    EXPECT_EQ(check_target(target).error(), make_error_code(Errc::bad_target)) << target;
  }
  EXPECT_EQ(check_target("").error(), make_error_code(Errc::bad_target_length));
  EXPECT_EQ(check_target(std::string(511, 'h') + ":1").error(),
            make_error_code(Errc::bad_target_length));
}

TEST(PortalTarget, S6_5_what_can_be_dialled) {
  const auto name = parse_dial_target("example.com:443");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->name, "example.com");
  EXPECT_FALSE(name->address);
  EXPECT_EQ(name->port, 443);

  const auto v4 = parse_dial_target("192.0.2.1:65535");
  ASSERT_TRUE(v4);
  EXPECT_EQ(v4->name, "");
  EXPECT_EQ(v4->address, net::IpAddress::parse("192.0.2.1"));
  EXPECT_EQ(v4->port, 65535);

  const auto v6 = parse_dial_target("[2001:DB8::1]:0053");
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->address, net::IpAddress::parse("2001:db8::1"));
  EXPECT_EQ(v6->port, 53);

  const auto mapped = parse_dial_target("[::ffff:192.0.2.1]:1");
  ASSERT_TRUE(mapped);
  EXPECT_EQ(mapped->address, net::IpAddress::parse("192.0.2.1"));

  EXPECT_EQ(parse_dial_target("x:0")->port, 0);
}

TEST(PortalTarget, S6_5_what_passes_the_frames_and_fails_at_dialling) {
  for (const char* target : {":443", "[]:80", "[x]:80", "[1.2.3.4]:80", "[::1%1]:80", "a b:1"}) {
    ASSERT_TRUE(check_target(target)) << target;
    EXPECT_EQ(parse_dial_target(target).error(), make_error_code(Errc::bad_dial_host)) << target;
  }
  for (const char* target :
       {"h:abc", "h:65536", "h:-1", "h:+1", "h: 1", "h:1 ", "h:0x10", "[::1]:80:90", "[::1]::"}) {
    ASSERT_TRUE(check_target(target)) << target;
    EXPECT_EQ(parse_dial_target(target).error(), make_error_code(Errc::bad_dial_port)) << target;
  }
  EXPECT_EQ(parse_dial_target("::1:443").error(), make_error_code(Errc::bad_target));
  EXPECT_EQ(parse_dial_target(std::string("a\0b:1", 5)).error(),
            make_error_code(Errc::bad_dial_host));
}

}  // namespace
}  // namespace portunus::portal::protocol
