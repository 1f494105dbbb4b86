#include "server/cli/rule_arguments.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace portunus::server::cli {
namespace {

using nlohmann::json;

PushArguments single(std::string listen, std::string target) {
  PushArguments out;
  out.client = "edge";
  out.listen = std::move(listen);
  out.target = std::move(target);
  return out;
}

void expect_body(const PushArguments& arguments, std::string_view body) {
  const auto made = make_push_body(arguments);
  ASSERT_TRUE(made) << made.error().text;
  EXPECT_EQ(json::parse(made->json), json::parse(body)) << made->json;
}

void expect_refusal(const PushArguments& arguments, int exit, std::string_view start) {
  const auto made = make_push_body(arguments);
  ASSERT_FALSE(made) << made->json;
  EXPECT_EQ(made.error().exit, exit) << made.error().text;
  EXPECT_TRUE(made.error().text.starts_with(start)) << made.error().text;
}

TEST(PushBody, OnePortToOneTarget) {
  expect_body(single("8080", "10.0.1.5:80"),
              R"({"client":"edge","listen_port":8080,"protocol":"tcp","ack_timeout_secs":2,
                  "target_host":"10.0.1.5","target_port":80})");
  EXPECT_EQ(make_push_body(single("8080", "h:80"))->listen_port, 8080);
  expect_body(single("1", "[2001:db8::5]:65535"),
              R"({"client":"edge","listen_port":1,"protocol":"tcp","ack_timeout_secs":2,
                  "target_host":"[2001:db8::5]","target_port":65535})");
}

TEST(PushBody, BothEndsAreSentWhenEitherSideIsARange) {
  constexpr auto kBody = R"({"client":"edge","listen_port":8000,"listen_port_end":8010,
      "protocol":"tcp","ack_timeout_secs":2,"target_host":"h","target_port":9000,
      "target_port_end":9000})";
  expect_body(single("8000-8010", "h:9000"), kBody);  // the server judges the lengths
  expect_body(single("8000", "h:9000-9010"),
              R"({"client":"edge","listen_port":8000,"listen_port_end":8000,"protocol":"tcp",
                  "ack_timeout_secs":2,"target_host":"h","target_port":9000,
                  "target_port_end":9010})");
}

TEST(PushBody, OptionalKeysOnlyWhenSet) {
  PushArguments all = single("443", "h:1");
  all.protocol = "TCP";
  all.ack_timeout_secs = 9;
  all.prefer_ipv6 = true;
  all.sni = "  WWW.Example.com ";
  all.health_check_interval_secs = 10;  // belongs to the other shape
  all.caps.bandwidth_in_bps = 1;
  all.caps.bandwidth_out_bps = 18'446'744'073'709'551'615U;
  all.caps.bandwidth_in_burst = 3;
  all.caps.bandwidth_out_burst = 4;
  all.caps.new_connections_per_sec = 5;
  all.caps.concurrent_connections = 6;
  all.caps.new_connections_burst = 7;
  expect_body(all, R"({"client":"edge","listen_port":443,"protocol":"TCP","ack_timeout_secs":9,
      "target_host":"h","target_port":1,"prefer_ipv6":true,"sni_pattern":"www.example.com",
      "rate_limit":{"bandwidth_in_bps":1,"bandwidth_out_bps":18446744073709551615,
        "bandwidth_in_burst":3,"bandwidth_out_burst":4,"new_connections_per_sec":5,
        "concurrent_connections":6,"new_connections_burst":7}})");
  PushArguments blank = single("443", "h:1");
  blank.sni = "  ";
  EXPECT_FALSE(json::parse(make_push_body(blank)->json).contains("sni_pattern"));
}

TEST(PushBody, SeveralTargets) {
  PushArguments several = single("80", "");
  several.target.reset();
  several.targets = {"a.example:1", "[::1]:2@7", "10.0.0.1:3@4294967295"};
  several.health_check_interval_secs = 3600;
  expect_body(several, R"({"client":"edge","listen_port":80,"protocol":"tcp","ack_timeout_secs":2,
      "targets":[{"host":"a.example","port":1,"priority":0},{"host":"[::1]","port":2,"priority":7},
        {"host":"10.0.0.1","port":3,"priority":4294967295}],"health_check_interval_secs":3600})");
  several.listen = "80-81";
  EXPECT_EQ(json::parse(make_push_body(several)->json)["listen_port_end"], 81);

  PushArguments passed = single("80", "");
  passed.target.reset();
  passed.targets_json = R"([{"host":1}])";
  EXPECT_EQ(json::parse(make_push_body(passed)->json)["targets"], json::parse(R"([{"host":1}])"));
}

TEST(PushChecks, Listen) {
  for (const char* listen :
       {"0", "65536", "", "x", "80-", "-80", "0-80", "80-0", "80-x", "080", " 80", "+80"}) {
    expect_refusal(single(listen, "h:1"), 3, std::string("invalid_target: ") + listen);
  }
  expect_refusal(single("81-80", "h:1"), 3, "range_invalid: ");
}

TEST(PushChecks, HealthInterval) {
  for (const std::uint32_t interval : {0U, 3601U}) {
    PushArguments arguments = single("80", "h:1");
    arguments.health_check_interval_secs = interval;
    expect_refusal(arguments, 3, "health_check_interval_out_of_range: " + std::to_string(interval));
  }
}

TEST(PushChecks, SniNeedsTcpAndOnePort) {
  PushArguments udp = single("80", "h:1");
  udp.sni = "a.example";
  udp.protocol = "udp";
  expect_refusal(udp, 2, "validation.sni_on_unsupported_rule: ");
  PushArguments range = single("80-81", "h:1-2");
  range.sni = "a.example";
  expect_refusal(range, 2, "validation.sni_on_unsupported_rule: ");
}

TEST(PushChecks, Shape) {
  PushArguments both = single("80", "h:1");
  both.targets = {"h:2"};
  expect_refusal(both, 3, "rule_shape_conflict ");
  both.targets.clear();
  both.targets_json = "[]";
  expect_refusal(both, 3, "rule_shape_conflict ");
  PushArguments none = single("80", "");
  none.target.reset();
  expect_refusal(none, 3, "rule_shape_missing ");
  none.targets_json = "[";
  expect_refusal(none, 3, "invalid_targets_json: ");
}

TEST(PushChecks, EachTarget) {
  for (const char* spec : {"h", "h:", "h:0", "h:1@", "h:1@x", "h:1@-1", "h:1@4294967296", ":1",
                           "::1:5", "a_b:1", "h:1-2"}) {
    PushArguments arguments = single("80", "");
    arguments.target.reset();
    arguments.targets = {"fine:1", spec};
    expect_refusal(arguments, 3, "invalid_target_spec --target \"" + std::string(spec) + "\": ");
  }
}

TEST(PushChecks, PositionalTarget) {
  for (const char* target : {"h", "h:", "h:0", "h:x", "h:2-1", "h:65536", ""}) {
    expect_refusal(single("80", target), 3, "invalid_target: ");
  }
  expect_refusal(single("80", "::1:80"), 3, "invalid_target_host: ");
  expect_refusal(single("80", "a_b:80"), 3, "invalid_target_host: ");
  expect_refusal(single("80", ":80"), 3, "invalid_target_host: ");
  expect_refusal(single("80", "-a:80"), 3, "invalid_target_host_label_hyphen: ");
  expect_refusal(single("80", std::string(64, 'a') + ":80"), 3,
                 "invalid_target_host_label_too_long: ");
  std::string longest;
  for (int i = 0; i < 130; ++i) longest += "a.";
  expect_refusal(single("80", longest + "a:80"), 3, "invalid_target_host_too_long: ");
}

TEST(PushChecks, ComeInTheContractsOrder) {
  // Everything wrong at once; each repair shows the next check.
  PushArguments wrong = single("81-80", "bad");
  wrong.health_check_interval_secs = 0;
  wrong.sni = "a.example";
  wrong.protocol = "udp";
  wrong.targets_json = "[";
  expect_refusal(wrong, 3, "range_invalid: ");
  wrong.listen = "80";
  expect_refusal(wrong, 3, "health_check_interval_out_of_range: ");
  wrong.health_check_interval_secs = 1;
  expect_refusal(wrong, 2, "validation.sni_on_unsupported_rule: ");
  wrong.protocol = "tcp";
  expect_refusal(wrong, 3, "rule_shape_conflict ");
  wrong.target.reset();
  expect_refusal(wrong, 3, "invalid_targets_json: ");
  wrong.targets_json.reset();
  expect_refusal(wrong, 3, "rule_shape_missing ");
  wrong.target = "bad";
  expect_refusal(wrong, 3, "invalid_target: ");
}

}  // namespace
}  // namespace portunus::server::cli
