#include "server/http/url.hpp"

#include <gtest/gtest.h>

namespace portunus::server::http {
namespace {

TEST(UrlTest, DecodesEscapesAndFormSpaces) {
  EXPECT_EQ(percent_decode("a%41+b"), "aA+b");
  EXPECT_EQ(percent_decode("a%41+b", true), "aA b");
  EXPECT_EQ(percent_decode(""), "");
  EXPECT_FALSE(percent_decode("%4"));
  EXPECT_FALSE(percent_decode("%g0"));
}

TEST(UrlTest, EncodesEverythingButUnreserved) {
  EXPECT_EQ(percent_encode("edge-01_.~"), "edge-01_.~");
  EXPECT_EQ(percent_encode("a/b c\xC3\xA4"), "a%2Fb%20c%C3%A4");
  EXPECT_EQ(percent_decode(percent_encode("a/b?&%")), "a/b?&%");
}

TEST(UrlTest, QueryPairsAndFlags) {
  const auto query = Query::parse("client=edge%2D01&per_port=yes&x&per_target=on&empty=");
  ASSERT_TRUE(query);
  EXPECT_EQ(query->get("client"), "edge-01");
  EXPECT_TRUE(query->flag("per_port"));
  EXPECT_FALSE(query->flag("per_target"));
  EXPECT_EQ(query->get("x"), "");
  EXPECT_EQ(query->get("empty"), "");
  EXPECT_FALSE(query->get("other"));
  EXPECT_TRUE(Query::parse("a=1")->get("a"));
  EXPECT_TRUE(Query::parse(""));
}

TEST(UrlTest, BrokenOrAmbiguousQueriesAreRefused) {
  EXPECT_FALSE(Query::parse("a=%"));
  EXPECT_FALSE(Query::parse("%zz=1"));
  EXPECT_FALSE(Query::parse("a=1&a=2"));
}

}  // namespace
}  // namespace portunus::server::http
