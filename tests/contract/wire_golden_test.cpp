// The golden vectors of control-wire section 3, built and read.

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "common/base/hex.hpp"
#include "common/model/rule.hpp"
#include "common/model/traffic.hpp"
#include "common/wire/quota_wire.hpp"
#include "common/wire/rate_limit_wire.hpp"
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

/// A PUSH both ways: the rule makes the vector, and the vector makes the rule.
void expect_push(std::string_view request_id, const model::RuleSpec& rule, std::string_view hex) {
  v1::ServerMessage message;
  message.mutable_rule_update()->set_request_id(std::string(request_id));
  message.mutable_rule_update()->set_action(v1::PUSH);
  wire::rule_to_wire(rule, *message.mutable_rule_update()->mutable_rule());
  expect_vector(message, hex);

  const auto update = from_hex<v1::ServerMessage>(hex).rule_update();
  EXPECT_EQ(update.request_id(), request_id);
  EXPECT_EQ(update.action(), v1::PUSH);
  const auto read = wire::rule_from_wire(update.rule());
  ASSERT_TRUE(read) << read.error().reason;
  EXPECT_EQ(*read, rule);
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
  rule.targets = {{.host = "h", .port = 8080}};
  rule.owner_id = "alice";
  expect_push("r1", rule, kHex);
}

TEST(WireGolden, push_of_a_list_rule) {
  model::RuleSpec rule;
  rule.id = RuleId{8};
  rule.listen_port = 443;
  rule.targets = {{.host = "h", .port = 8443, .proxy = model::ProxyVersion::v1}};
  rule.listed = true;
  rule.sni_pattern = "a.b";
  rule.owner_id = "alice";
  expect_push("r2", rule,
              "122b0a02723210011a23080810bb031a016820fb4128014a080a016810fb4120015a03612e626a056"
              "16c696365");
}

TEST(WireGolden, push_of_a_udp_range) {
  model::RuleSpec rule;
  rule.id = RuleId{9};
  rule.protocol = model::Protocol::udp;
  rule.listen_port = 30000;
  rule.ports = 51;
  rule.targets = {{.host = "10.0.0.5", .port = 40000}};
  rule.owner_id = "bob";
  expect_push("r3", rule,
              "122b0a02723310011a23080910b0ea011a0831302e302e302e3520c0b802280230e2ea0138f2b8026a"
              "03626f62");
}

TEST(WireGolden, quota_set) {
  constexpr std::string_view kHex =
      "22320a01711205616c6963651a07656467652d303120012a1b086410d6ffffffffffffffff01188081c8ac0620"
      "80beebad062801";
  wire::QuotaUpdate update{.request_id = "q",
                           .user_id = "alice",
                           .client_id = "",
                           .client_name = "edge-01",
                           .state = model::QuotaState{}};
  update.state->monthly_bytes = 100;
  update.state->budget_remaining_bytes = -42;
  update.state->period_started_at = 1'704'067'200;
  update.state->period_ends_at = 1'706'745'600;
  update.state->exhausted = true;
  v1::ServerMessage message;
  wire::quota_to_wire(update, *message.mutable_traffic_quota_update());
  expect_vector(message, kHex);

  const auto read = wire::quota_from_wire(from_hex<v1::ServerMessage>(kHex).traffic_quota_update());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->request_id, "q");
  EXPECT_EQ(read->user_id, "alice");
  EXPECT_EQ(read->client_name, "edge-01");
  EXPECT_EQ(read->state, update.state);
}

TEST(WireGolden, owner_limit_remove) {
  constexpr std::string_view kHex = "1a120a07656467652d30311205616c6963652002";
  wire::OwnerLimitUpdate update;
  update.action = wire::OwnerLimitUpdate::Action::remove;
  update.client_name = "edge-01";
  update.owner_id = "alice";
  v1::ServerMessage message;
  wire::owner_limit_to_wire(update, *message.mutable_owner_rate_limit_update());
  expect_vector(message, kHex);

  const auto read =
      wire::owner_limit_from_wire(from_hex<v1::ServerMessage>(kHex).owner_rate_limit_update());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->action, wire::OwnerLimitUpdate::Action::remove);
  EXPECT_EQ(read->client_name, "edge-01");
  EXPECT_EQ(read->owner_id, "alice");
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
  model::TrafficReport report;
  report.rules.resize(1);
  report.rules[0].rule = RuleId{7};
  report.rules[0].bytes_in = 300;
  report.rules[0].bytes_out = 5;
  v1::ClientMessage message;
  wire::report_to_wire(report, 1, *message.mutable_stats_report());
  expect_vector(message, kHex);

  const auto read = from_hex<v1::ClientMessage>(kHex).stats_report();
  EXPECT_EQ(read.sent_at_unix_ms(), 1U);
  EXPECT_EQ(wire::report_from_wire(read), report);
}

}  // namespace
}  // namespace portunus
