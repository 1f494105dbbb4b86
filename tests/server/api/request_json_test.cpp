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
  EXPECT_FALSE(push->targets || push->sni_pattern || push->rate_limit);
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

TEST(RequestJsonTest, PushOfAList) {
  const auto push = decode_push(
      R"({"client":"e","listen_port":1,"sni_pattern":" A.b","rate_limit":{},
          "targets":[{"host":"h","port":0,"priority":4294967295,"proxy_protocol":"V1","x":1},
                     {"host":"","port":65535,"priority":null,"proxy_protocol":null}]})");
  ASSERT_TRUE(push) << push.error().text();
  ASSERT_EQ(push->targets->size(), 2U);
  const rules::WantedTarget& first = push->targets->at(0);
  EXPECT_EQ(first.host, "h");
  EXPECT_EQ(first.port, 0U);
  EXPECT_EQ(first.priority, 4'294'967'295U);
  EXPECT_EQ(first.proxy_protocol, "V1");
  const rules::WantedTarget& second = push->targets->at(1);
  EXPECT_EQ(second.port, 65'535U);
  EXPECT_FALSE(second.priority || second.proxy_protocol);
  EXPECT_EQ(push->sni_pattern, " A.b");
  ASSERT_TRUE(push->rate_limit);
  EXPECT_TRUE(push->rate_limit->limit.empty());
  EXPECT_FALSE(push->rate_limit->reserved_key);
  const auto absent = decode_push(
      R"({"client":"e","listen_port":1,"targets":null,"sni_pattern":null,"rate_limit":null,
          "health_check_interval_secs":null})");
  ASSERT_TRUE(absent);
  EXPECT_FALSE(absent->targets || absent->sni_pattern || absent->rate_limit);
}

TEST(RequestJsonTest, HTTP_7_3_CapsInFull) {
  const auto caps = [](const std::string& text) {
    return decode_push(R"({"client":"e","listen_port":1,"rate_limit":)" + text + "}");
  };
  const auto full = caps(
      R"({"bandwidth_in_bps":18446744073709551615,"bandwidth_out_bps":2,
          "new_connections_per_sec":4294967295,"concurrent_connections":0,
          "bandwidth_in_burst":5,"bandwidth_out_burst":6,"new_connections_burst":7})");
  ASSERT_TRUE(full) << full.error().text();
  EXPECT_EQ(full->rate_limit->limit,
            (model::RateLimit{18'446'744'073'709'551'615ULL, 2, 4'294'967'295U, 0, 5, 6, 7}));
  EXPECT_FALSE(full->rate_limit->reserved_key);
  EXPECT_FALSE(caps(R"({"concurrent_connections_burst":null})")->rate_limit->reserved_key);
  for (const char* value : {"0", "5", "\"x\"", "[]"}) {
    const auto reserved = caps(R"({"concurrent_connections_burst":)" + std::string(value) + "}");
    ASSERT_TRUE(reserved) << value;
    EXPECT_TRUE(reserved->rate_limit->reserved_key) << value;
  }
}

TEST(RequestJsonTest, AFaultNamesItsPlace) {
  const auto detail = [](const char* text) {
    const auto push = decode_push(text);
    return push ? std::string() : push.error().detail;
  };
  EXPECT_EQ(
      detail(R"({"client":"e","listen_port":1,"targets":[{"host":"h","port":1},{"port":1}]})"),
      "targets[1].host is missing");
  EXPECT_EQ(detail(R"({"client":"e","listen_port":1,"targets":[{"host":"h","port":"1"}]})"),
            "targets[0].port must be an integer");
  EXPECT_EQ(detail(R"({"client":"e","listen_port":1,"targets":[7]})"),
            "targets[0] must be an object");
  EXPECT_EQ(detail(R"({"client":"e","listen_port":1,"rate_limit":{"bandwidth_in_bps":-1}})"),
            "rate_limit.bandwidth_in_bps is out of range");
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
        R"({"client":"e","listen_port":1,"rate_limit":{"new_connections_per_sec":4294967296}})",
        R"({"client":"e","listen_port":1,"rate_limit":{"bandwidth_in_bps":1.5}})",
        R"({"client":"e","listen_port":1,"targets":[{"host":"h","port":65536}]})",
        R"({"client":"e","listen_port":1,"targets":[{"host":"h","port":1,"priority":-1}]})",
        R"({"client":"e","listen_port":1,"targets":[{"host":"h","port":1,"proxy_protocol":1}]})",
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
