#include "common/net/hostname.hpp"

#include <gtest/gtest.h>

#include <string>

namespace portunus::net {
namespace {

TEST(Hostname, DNS_1_accepts_rfc_1123_names) {
  for (const char* name : {"a", "edge-01.example.com", "EXAMPLE.com.", "1a.2b", "xn--80ak6aa92e"}) {
    EXPECT_FALSE(check_hostname(name)) << name;
  }
  EXPECT_FALSE(check_hostname(std::string(63, 'a')));
}

TEST(Hostname, DNS_1_names_each_fault) {
  EXPECT_EQ(check_hostname(std::string(64, 'a')), HostnameFault::label_too_long);
  std::string long_name;
  while (long_name.size() < 254) long_name += "aaaaaaaaa.";
  EXPECT_EQ(check_hostname(long_name), HostnameFault::too_long);
  EXPECT_EQ(check_hostname("-a.b"), HostnameFault::label_hyphen);
  EXPECT_EQ(check_hostname("a-.b"), HostnameFault::label_hyphen);
  for (const char* name :
       {"", ".", "a..b", "a_b", "1.2.3.4", "123", "a b", "b\xC3\xBC", "::1", "a.b..", "host:80"}) {
    EXPECT_EQ(check_hostname(name), HostnameFault::other) << name;
  }
}

TEST(Hostname, normal_form_is_lower_case_without_the_dot) {
  EXPECT_EQ(normalize_hostname("Edge.Example.COM."), "edge.example.com");
}

TEST(CertificateName, a_wildcard_stands_for_exactly_one_label) {
  EXPECT_TRUE(matches_certificate_name("a.example.com", "A.EXAMPLE.com"));
  EXPECT_TRUE(matches_certificate_name("*.example.com", "a.example.com"));
  EXPECT_FALSE(matches_certificate_name("*.example.com", "example.com"));
  EXPECT_FALSE(matches_certificate_name("*.example.com", "a.b.example.com"));
  EXPECT_FALSE(matches_certificate_name("*.com", "example.com"));
  EXPECT_FALSE(matches_certificate_name("*.example.com", ".example.com"));
}

}  // namespace
}  // namespace portunus::net
