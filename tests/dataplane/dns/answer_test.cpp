#include "dataplane/dns/answer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace portunus::dataplane::dns {
namespace {

using testing::ElementsAre;

net::IpAddress ip(std::string_view text) {
  return *net::IpAddress::parse(text);
}

TEST(DialOrder, DNS_5_preferred_family_first_the_other_as_fallback_order_kept_within) {
  const Addresses all{{ip("10.0.0.9"), ip("10.0.0.1")}, {ip("fd00::9"), ip("fd00::1")}, {}};
  EXPECT_THAT(dial_order(all, false),
              ElementsAre(ip("10.0.0.9"), ip("10.0.0.1"), ip("fd00::9"), ip("fd00::1")));
  EXPECT_THAT(dial_order(all, true),
              ElementsAre(ip("fd00::9"), ip("fd00::1"), ip("10.0.0.9"), ip("10.0.0.1")));
}

TEST(DialOrder, DNS_5_a_family_that_is_missing_does_not_matter) {
  EXPECT_THAT(dial_order({{ip("10.0.0.1")}, {}, {}}, true), ElementsAre(ip("10.0.0.1")));
  EXPECT_THAT(dial_order({{}, {ip("fd00::1")}, {}}, false), ElementsAre(ip("fd00::1")));
}

TEST(FailureName, the_closed_set_of_reasons) {
  EXPECT_EQ(failure_name(Failure::nxdomain), "nxdomain");
  EXPECT_EQ(failure_name(Failure::servfail), "servfail");
  EXPECT_EQ(failure_name(Failure::attempt_timeout), "attempt_timeout");
  EXPECT_EQ(failure_name(Failure::all_addrs_unreachable), "all_addrs_unreachable");
  EXPECT_EQ(failure_name(Failure::resolver_overloaded), "resolver_overloaded");
  EXPECT_EQ(failure_name(Failure::other), "other");
}

}  // namespace
}  // namespace portunus::dataplane::dns
