#include "common/model/client_version.hpp"

#include <gtest/gtest.h>

namespace portunus::model {
namespace {

TEST(ClientVersion, CW_9_compares_major_and_minor_as_numbers) {
  EXPECT_TRUE(supports("1.8.0", kNeedsQuota));
  EXPECT_TRUE(supports("1.4.0", kNeedsQuota));
  EXPECT_TRUE(supports("1.4", kNeedsQuota));
  EXPECT_TRUE(supports("1.10.0", kNeedsQuota));
  EXPECT_TRUE(supports("2.0.0", kNeedsQuota));
  EXPECT_TRUE(supports("3.1.4", kNeedsRateLimit));
  EXPECT_FALSE(supports("1.3.9", kNeedsQuota));
  EXPECT_TRUE(supports("0.11.0", kNeedsRateLimit));
  EXPECT_FALSE(supports("0.10.9", kNeedsRateLimit));
  EXPECT_FALSE(supports("0.9.0", kNeedsProxyProtocol));
}

TEST(ClientVersion, CW_9_cuts_at_the_first_dash_or_plus) {
  EXPECT_EQ(parse_client_version("1.4-rc.1"), (ClientVersion{1, 4}));
  EXPECT_EQ(parse_client_version("1.4.0+build.9"), (ClientVersion{1, 4}));
  EXPECT_EQ(parse_client_version("1+2.9"), (ClientVersion{1, 0}));
  EXPECT_EQ(parse_client_version("-1.4"), (ClientVersion{0, 0}));
}

TEST(ClientVersion, CW_9_missing_and_unreadable_parts_are_zero) {
  EXPECT_EQ(parse_client_version(""), (ClientVersion{0, 0}));
  EXPECT_EQ(parse_client_version("2"), (ClientVersion{2, 0}));
  EXPECT_EQ(parse_client_version("v1.4"), (ClientVersion{0, 4}));
  EXPECT_EQ(parse_client_version("1.x"), (ClientVersion{1, 0}));
  EXPECT_EQ(parse_client_version(" 1.4"), (ClientVersion{0, 4}));
  EXPECT_EQ(parse_client_version("99999999999.5"), (ClientVersion{0, 5}));
}

TEST(ClientVersion, CW_9_no_version_supports_nothing_that_is_gated) {
  EXPECT_FALSE(supports("", kNeedsTargetList));
  EXPECT_FALSE(supports("unknown", kNeedsTargetList));
}

}  // namespace
}  // namespace portunus::model
