#include "portal/config/portal_url.hpp"

#include <gtest/gtest.h>

#include <string>

#include "portal/config/errc.hpp"

namespace portunus::portal::config {
namespace {

PortalUrl url(std::string_view text) {
  auto parsed = PortalUrl::parse(text);
  EXPECT_TRUE(parsed) << text << ": " << (parsed ? "" : parsed.error().text());
  return parsed ? *parsed : PortalUrl();
}

TEST(PortalUrl, S2_parts) {
  const PortalUrl full = url("portal://key:@host:2077/ignored/path?net=tcp&x#frag?tls=7");
  EXPECT_EQ(full.scheme(), "portal");
  EXPECT_EQ(full.userinfo(), "key:");
  EXPECT_EQ(full.host(), "host");
  EXPECT_EQ(full.port(), "2077");
  EXPECT_EQ(full.form("net"), "tcp");
  EXPECT_EQ(full.form("x"), "");
  EXPECT_EQ(full.form("tls"), std::nullopt);
}

TEST(PortalUrl, S2_hosts) {
  EXPECT_EQ(url("portal://k@:2077").host(), "");
  EXPECT_EQ(url("portal://k@0.0.0.0:1").host(), "0.0.0.0");
  EXPECT_EQ(url("portal://k@[::]:1").host(), "::");
  EXPECT_EQ(url("portal://k@[2001:DB8:0:0::1]:1").host(), "2001:db8::1");
  EXPECT_EQ(url("portal://k@name_1.example:1").host(), "name_1.example");
  for (const char* text :
       {"portal://k@[::1:1", "portal://k@[::1]1:1", "portal://k@[1.2.3.4]:1", "portal://k@[x]:1",
        "portal://k@::1:1", "portal://k@a b:1", "portal://k@a%20b:1", "portal://k@caf\xc3\xa9:1",
        "portal://k@[fe80::1%25eth0]:1"}) {
    EXPECT_EQ(PortalUrl::parse(text).error(), make_error_code(Errc::bad_url)) << text;
  }
}

TEST(PortalUrl, S2_ports) {
  EXPECT_EQ(url("portal://k@h:0").port(), "0");
  EXPECT_EQ(url("portal://k@h:65535?x").port(), "65535");
  EXPECT_EQ(url("portal://k@h").port(), std::nullopt);
  EXPECT_EQ(url("portal://k@h:").port(), "");
  EXPECT_EQ(url("portal://k@[::1]").port(), std::nullopt);
  for (const char* port : {"65536", "-1", "+1", "x", "1x", " 1", "0x1", "99999999999"}) {
    EXPECT_EQ(PortalUrl::parse("portal://k@h:" + std::string(port)).error(),
              make_error_code(Errc::bad_url))
        << port;
  }
}

TEST(PortalUrl, S2_the_last_at_sign_ends_the_userinfo) {
  EXPECT_EQ(url("portal://a@b@h:1").userinfo(), "a@b");
  EXPECT_EQ(url("portal://h:1").userinfo(), "");
  // One behind the authority is not of it.
  EXPECT_EQ(url("portal://k@h:1/x@y").host(), "h");
  EXPECT_EQ(url("portal://k@h:1?x@y").host(), "h");
  EXPECT_EQ(url("portal://k@h:1#x@y").host(), "h");
}

TEST(PortalUrl, S2_blanks_around_and_line_ends_within) {
  const PortalUrl trimmed = url(" \t\r\nportal://k@\nh:1\t?net=t\r\ncp \n");
  EXPECT_EQ(trimmed.form("net"), "tcp");
}

TEST(PortalUrl, S2_not_a_url) {
  for (const char* text : {"", "portal", "portal:", "portal:/k@h:1", "portal:k@h:1", "://k@h:1",
                           "1portal://k@h:1", "por tal://k@h:1", "k@h:1", "--help"}) {
    EXPECT_EQ(PortalUrl::parse(text).error(), make_error_code(Errc::bad_url)) << text;
  }
  EXPECT_EQ(url("http://k@h:1").scheme(), "http");
  EXPECT_EQ(url("PORTAL://k@h:1").scheme(), "portal");
}

TEST(PortalUrl, S2_the_first_occurrence_of_a_name_wins_even_when_empty) {
  EXPECT_EQ(url("portal://k@h:1?net=&net=tcp").form("net"), "");
  EXPECT_EQ(url("portal://k@h:1?net&net=tcp").form("net"), "");
  EXPECT_EQ(url("portal://k@h:1?spec=a&spec=b").strict("spec"), "a");
  EXPECT_EQ(url("portal://k@h:1?NET=tcp&x=y&&").form("net"), std::nullopt);
  EXPECT_EQ(url("portal://k@h:1?a=b=c").form("a"), "b=c");
  EXPECT_EQ(url("portal://k@h:1?&=&a=1").form("a"), "1");
  // Names are decoded too, and are then the same name.
  EXPECT_EQ(url("portal://k@h:1?n%65t=tcp").form("net"), "tcp");
  EXPECT_EQ(url("portal://k@h:1?sp%65c=x").strict("spec"), "x");
}

TEST(PortalUrl, S2_strict_mode) {
  EXPECT_EQ(url("portal://k@h:1?spec=a+b%2Bc%20d").strict("spec"), "a+b+c d");
  EXPECT_EQ(url("portal://k@h:1?spec=100%&alpn=%zz%4").strict("spec"), "100%");
  EXPECT_EQ(url("portal://k@h:1?spec=100%&alpn=%zz%4").strict("alpn"), "%zz%4");
  EXPECT_EQ(url("portal://k@h:1?spec=caf%C3%A9").strict("spec"), "caf\xc3\xa9");
  EXPECT_FALSE(url("portal://k@h:1?spec=caf%E9").strict("spec"));
  // A foreign byte in a name before the match spoils it, one behind it or in a value does not.
  EXPECT_FALSE(url("portal://k@h:1?caf%E9=1&spec=x").strict("spec"));
  EXPECT_FALSE(url("portal://k@h:1?caf%E9=1").strict("spec"));
  EXPECT_TRUE(url("portal://k@h:1?spec=x&caf%E9=1").strict("spec"));
  EXPECT_EQ(url("portal://k@h:1?y=caf%E9&spec=x").strict("spec"), "x");
}

TEST(PortalUrl, S2_form_mode) {
  EXPECT_EQ(url("portal://k@h:1?crt=a+b%2Bc%20d").form("crt"), "a b+c d");
  EXPECT_EQ(url("portal://k@h:1?crt=caf%E9.pem").form("crt"), "caf\xef\xbf\xbd.pem");
  EXPECT_EQ(url("portal://k@h:1?crt=%E9x%E9&caf%E9=1").form("crt"), "\xef\xbf\xbdx\xef\xbf\xbd");
  EXPECT_EQ(url("portal://k@h:1?crt=50%").form("crt"), "50%");
  EXPECT_EQ(url("portal://k@h:1?caf%E9=1&net=udp").form("net"), "udp");
}

}  // namespace
}  // namespace portunus::portal::config
