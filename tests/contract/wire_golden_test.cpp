// The golden vectors of control-wire section 3, built and read.

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "common/base/hex.hpp"
#include "common/model/rule.hpp"
#include "common/model/traffic.hpp"
#include "common/wire/rule_wire.hpp"
#include "common/wire/traffic_wire.hpp"
#include "portunus/v1/control.pb.h"

namespace portunus {
namespace {

template <class Message>
std::string to_hex(const Message& message) {
  return hex_encode(as_bytes(message.SerializeAsString()));
}

template <class Message>
Message from_hex(std::string_view hex) {
  const auto bytes = hex_decode(hex);
  Message out;
  EXPECT_TRUE(bytes && out.ParseFromArray(bytes->data(), static_cast<int>(bytes->size())));
  return out;
}

/// Both directions at once: what we build is the vector, and the vector read and written again
/// loses nothing.
template <class Message>
void expect_vector(const Message& built, std::string_view hex) {
  EXPECT_EQ(to_hex(built), hex);
  const auto read = from_hex<Message>(hex);
  EXPECT_EQ(to_hex(read), hex);
  EXPECT_EQ(read.GetReflection()->GetUnknownFields(read).field_count(), 0);
}

v1::ClientMessage hello() {
  v1::ClientMessage message;
  message.mutable_hello()->set_protocol_version("1.0.0");
  message.mutable_hello()->set_client_version("1.8.0");
  message.mutable_hello()->add_supported_protocols(v1::TCP);
  message.mutable_hello()->add_supported_protocols(v1::UDP);
  return message;
}

v1::ServerMessage push(std::string_view request_id) {
  v1::ServerMessage message;
  message.mutable_rule_update()->set_request_id(std::string(request_id));
  message.mutable_rule_update()->set_action(v1::PUSH);
  return message;
}

TEST(WireGolden, hello) {
  expect_vector(hello(), "0a120a05312e302e301205312e382e301a020102");
}

TEST(WireGolden, D8_hello_with_instance_id) {
  v1::ClientMessage message = hello();
  message.mutable_hello()->set_instance_id("01J00000000000000000000001");
  expect_vector(message,
                "0a2f0a05312e302e301205312e382e301a020102a2061a30314a30303030303030303030303030303"
                "03030303030303031");
}

TEST(WireGolden, welcome) {
  v1::ServerMessage message;
  message.mutable_welcome()->set_server_version("1.8.0");
  message.mutable_welcome()->set_server_time_unix_ms(1'700'000'000'000);
  message.mutable_welcome()->set_udp_flow_idle_secs(60);
  message.mutable_welcome()->set_udp_max_flows_per_rule(1024);
  expect_vector(message, "0a130a05312e382e301080d095ffbc31183c208008");
}

TEST(WireGolden, push_of_a_plain_rule) {
  constexpr std::string_view kHex =
      "121d0a02723110011a15080710a08d011a016820903f28016a05616c696365";
  model::RuleSpec rule;
  rule.id = RuleId{7};
  rule.listen_port = 18080;
  rule.target = {"h", 8080};
  rule.owner_id = "alice";
  v1::ServerMessage message = push("r1");
  wire::rule_to_wire(rule, *message.mutable_rule_update()->mutable_rule());
  expect_vector(message, kHex);

  const auto update = from_hex<v1::ServerMessage>(kHex).rule_update();
  EXPECT_EQ(update.request_id(), "r1");
  EXPECT_EQ(update.action(), v1::PUSH);
  EXPECT_EQ(update.rule().rule_id(), 7U);
  EXPECT_EQ(update.rule().listen_port(), 18080U);
  EXPECT_EQ(update.rule().target_host(), "h");
  EXPECT_FALSE(update.rule().has_prefer_ipv6());
}

TEST(WireGolden, push_of_a_list_rule) {
  v1::ServerMessage message = push("r2");
  v1::Rule& rule = *message.mutable_rule_update()->mutable_rule();
  rule.set_rule_id(8);
  rule.set_listen_port(443);
  rule.set_target_host("h");
  rule.set_target_port(8443);
  rule.set_protocol(v1::TCP);
  v1::Target& row = *rule.add_targets();
  row.set_host("h");
  row.set_port(8443);
  row.set_proxy_protocol(v1::PROXY_PROTOCOL_VERSION_V1);
  rule.set_sni_pattern("a.b");
  rule.set_owner_id("alice");
  expect_vector(message,
                "122b0a02723210011a23080810bb031a016820fb4128014a080a016810fb4120015a03612e626a0561"
                "6c696365");
}

TEST(WireGolden, push_of_a_udp_range) {
  v1::ServerMessage message = push("r3");
  v1::Rule& rule = *message.mutable_rule_update()->mutable_rule();
  rule.set_rule_id(9);
  rule.set_listen_port(30000);
  rule.set_target_host("10.0.0.5");
  rule.set_target_port(40000);
  rule.set_protocol(v1::UDP);
  rule.set_listen_port_end(30050);
  rule.set_target_port_end(40050);
  rule.set_owner_id("bob");
  expect_vector(
      message,
      "122b0a02723310011a23080910b0ea011a0831302e302e302e3520c0b802280230e2ea0138f2b8026a0"
      "3626f62");
}

TEST(WireGolden, quota_set) {
  v1::ServerMessage message;
  v1::TrafficQuotaUpdate& update = *message.mutable_traffic_quota_update();
  update.set_request_id("q");
  update.set_user_id("alice");
  update.set_client_name("edge-01");
  update.set_action(v1::TRAFFIC_QUOTA_ACTION_SET);
  update.mutable_state()->set_monthly_bytes(100);
  update.mutable_state()->set_budget_remaining_bytes(-42);
  update.mutable_state()->set_period_started_at_unix_sec(1'704'067'200);
  update.mutable_state()->set_period_ends_at_unix_sec(1'706'745'600);
  update.mutable_state()->set_exhausted(true);
  expect_vector(message,
                "22320a01711205616c6963651a07656467652d303120012a1b086410d6ffffffffffffffff01188081"
                "c8ac062080beebad062801");
}

TEST(WireGolden, owner_limit_remove) {
  v1::ServerMessage message;
  message.mutable_owner_rate_limit_update()->set_client_name("edge-01");
  message.mutable_owner_rate_limit_update()->set_owner_id("alice");
  message.mutable_owner_rate_limit_update()->set_action(v1::OWNER_RATE_LIMIT_ACTION_REMOVE);
  expect_vector(message, "1a120a07656467652d30311205616c6963652002");
}

TEST(WireGolden, D7_replay_complete) {
  v1::ServerMessage message;
  message.mutable_replay_complete();
  expect_vector(message, "a20600");
  EXPECT_TRUE(from_hex<v1::ServerMessage>("a20600").has_replay_complete());
}

TEST(WireGolden, rule_status) {
  v1::ClientMessage message;
  message.mutable_rule_status()->set_request_id("r1");
  message.mutable_rule_status()->set_rule_id(7);
  message.mutable_rule_status()->set_outcome(v1::ACTIVATED);
  expect_vector(message, "12080a02723110071801");
}

TEST(WireGolden, stats_report) {
  constexpr std::string_view kHex = "1a0b08011207080710ac021805";
  const model::RuleTraffic rules[] = {{RuleId{7}, 300, 5, 0}};
  v1::ClientMessage message;
  wire::report_to_wire(rules, 1, *message.mutable_stats_report());
  expect_vector(message, kHex);

  const auto read = wire::report_from_wire(from_hex<v1::ClientMessage>(kHex).stats_report());
  ASSERT_EQ(read.size(), 1U);
  EXPECT_EQ(read[0], rules[0]);
}

}  // namespace
}  // namespace portunus
