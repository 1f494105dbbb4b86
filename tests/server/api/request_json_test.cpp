#include "server/http/api/request_json.hpp"

#include <gtest/gtest.h>

#include "server/http/api/errc.hpp"

namespace portunus::server::http::api {
namespace {

TEST(RequestJsonTest, WhatIsNoJsonIsInvalidJson) {
  for (const char* text : {"", " ", "{", "{\"name\":}", "nul", "{} x", "\xff"}) {
    const auto decoded = decode_ttl(text);
    ASSERT_FALSE(decoded) << text;
    EXPECT_EQ(decoded.error(), make_error_code(Errc::invalid_json)) << text;
  }
}

TEST(RequestJsonTest, AWrongShapeIsAnInvalidBody) {
  for (const char* text :
       {"[]", "null", "\"x\"", "7", R"({"ttl_secs":"600"})", R"({"ttl_secs":1.5})",
        R"({"ttl_secs":true})", R"({"ttl_secs":18446744073709551615})"}) {
    const auto decoded = decode_ttl(text);
    ASSERT_FALSE(decoded) << text;
    EXPECT_EQ(decoded.error(), make_error_code(Errc::invalid_body)) << text;
  }
}

TEST(RequestJsonTest, TtlDefaultsAndNullIsAbsent) {
  EXPECT_EQ(decode_ttl("{}"), 600);
  EXPECT_EQ(decode_ttl(R"({"ttl_secs":null,"unknown":[1]})"), 600);
  EXPECT_EQ(decode_ttl(R"({"ttl_secs":-1})"), -1);  // its range is the domain's business
}

TEST(RequestJsonTest, EnrollBody) {
  const auto full = decode_enroll(R"({"name":"edge-01","address":"e.example","ttl_secs":60})");
  ASSERT_TRUE(full);
  EXPECT_EQ(full->name, "edge-01");
  EXPECT_EQ(full->address, "e.example");
  EXPECT_EQ(full->ttl_secs, 60);
  EXPECT_FALSE(decode_enroll(R"({"address":"e"})"));
  EXPECT_FALSE(decode_enroll(R"({"name":7})"));
  EXPECT_FALSE(decode_enroll(R"({"name":null})"));
}

TEST(RequestJsonTest, AddressAndNameAreRequired) {
  EXPECT_EQ(decode_address(R"({"address":"x"})"), "x");
  EXPECT_FALSE(decode_address("{}"));
  EXPECT_EQ(decode_client_name(R"({"client_name":"x"})"), "x");
  const auto missing = decode_client_name("{}");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().detail, "client_name is missing");
}

TEST(RequestJsonTest, PushDefaults) {
  const auto push = decode_push(R"({"client":"e","listen_port":0})");
  ASSERT_TRUE(push);
  EXPECT_EQ(push->client, "e");
  EXPECT_EQ(push->listen_port, 0U);
  EXPECT_EQ(push->protocol, "tcp");
  EXPECT_EQ(push->ack_timeout, std::chrono::seconds(2));
  EXPECT_FALSE(push->target_host || push->target_port || push->prefer_ipv6);
  EXPECT_TRUE(push->unavailable.empty());
}

TEST(RequestJsonTest, PushInFull) {
  const auto push = decode_push(
      R"({"client":"e","listen_port":1,"listen_port_end":2,"target_host":"h","target_port":3,
          "target_port_end":4,"protocol":"UDP","prefer_ipv6":true,"ack_timeout_secs":9,
          "health_check_interval_secs":5})");
  ASSERT_TRUE(push);
  EXPECT_EQ(push->listen_port_end, 2U);
  EXPECT_EQ(push->target_host, "h");
  EXPECT_EQ(push->target_port, 3U);
  EXPECT_EQ(push->target_port_end, 4U);
  EXPECT_EQ(push->protocol, "UDP");
  EXPECT_EQ(push->prefer_ipv6, true);
  EXPECT_EQ(push->ack_timeout, std::chrono::seconds(9));
}

TEST(RequestJsonTest, KeysOfLaterReleasesAreNamed) {
  const auto push = decode_push(
      R"({"client":"e","listen_port":1,"targets":[],"sni_pattern":"a.b","rate_limit":{}})");
  ASSERT_TRUE(push);
  EXPECT_EQ(push->unavailable, (std::vector<std::string>{"targets", "sni_pattern", "rate_limit"}));
  const auto absent = decode_push(
      R"({"client":"e","listen_port":1,"targets":null,"sni_pattern":null,"rate_limit":null})");
  ASSERT_TRUE(absent);
  EXPECT_TRUE(absent->unavailable.empty());
}

TEST(RequestJsonTest, PushNumbersHaveTheirRanges) {
  for (const char* text :
       {R"({"client":"e","listen_port":65536})", R"({"client":"e","listen_port":-1})",
        R"({"client":"e","listen_port":"1"})", R"({"client":"e"})", R"({"listen_port":1})",
        R"({"client":"e","listen_port":1,"target_port":70000})",
        R"({"client":"e","listen_port":1,"ack_timeout_secs":-1})",
        R"({"client":"e","listen_port":1,"prefer_ipv6":1})",
        R"({"client":"e","listen_port":1,"targets":{}})",
        R"({"client":"e","listen_port":1,"sni_pattern":1})",
        R"({"client":"e","listen_port":1,"rate_limit":[]})",
        R"({"client":"e","listen_port":1,"health_check_interval_secs":4294967296})"}) {
    const auto push = decode_push(text);
    ASSERT_FALSE(push) << text;
    EXPECT_EQ(push.error(), make_error_code(Errc::invalid_body)) << text;
  }
}

TEST(RequestJsonTest, AnEndlessAckTimeoutIsCut) {
  const auto push =
      decode_push(R"({"client":"e","listen_port":1,"ack_timeout_secs":18446744073709551615})");
  ASSERT_TRUE(push);
  EXPECT_EQ(push->ack_timeout, std::chrono::hours(24));
}

}  // namespace
}  // namespace portunus::server::http::api
