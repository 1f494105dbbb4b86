#include "common/wire/rule_wire.hpp"

#include <gtest/gtest.h>

#include <string>

namespace portunus::wire {
namespace {

using Kind = RuleRefusal::Kind;

v1::Rule plain() {
  v1::Rule rule;
  rule.set_rule_id(7);
  rule.set_listen_port(18080);
  rule.set_target_host("10.0.0.5");
  rule.set_target_port(8080);
  rule.set_protocol(v1::TCP);
  return rule;
}

/// As plain(), in list form: the copy of row 0 stands beside the list.
v1::Rule one_row() {
  v1::Rule rule = plain();
  v1::Target& row = *rule.add_targets();
  row.set_host("10.0.0.5");
  row.set_port(8080);
  return rule;
}

void expect_refused(const v1::Rule& rule, Kind kind, const std::string& reason,
                    std::size_t index = 0) {
  const auto result = rule_from_wire(rule);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, kind);
  EXPECT_EQ(result.error().reason, reason);
  EXPECT_EQ(result.error().target_index, index);
  EXPECT_FALSE(result.error().detail.empty());
}

TEST(RuleWire, a_plain_rule_survives_the_round_trip) {
  model::RuleSpec rule;
  rule.id = RuleId{7};
  rule.listen_port = 65535;
  rule.target = {"[2001:db8::1]", 1};
  rule.prefer_ipv6 = false;
  rule.owner_id = "alice";
  v1::Rule out;
  rule_to_wire(rule, out);
  const auto back = rule_from_wire(out);
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, rule);
}

TEST(RuleWire, nothing_unasked_is_set) {
  model::RuleSpec rule;
  rule.listen_port = 80;
  rule.target = {"10.0.0.1", 81};
  v1::Rule out;
  rule_to_wire(rule, out);
  EXPECT_EQ(out.rule_id(), 0U);  // legal, and not encoded
  EXPECT_FALSE(out.has_prefer_ipv6());
  EXPECT_FALSE(out.has_owner_id());
  EXPECT_FALSE(out.has_rate_limit());
  EXPECT_FALSE(out.has_sni_pattern());
  EXPECT_EQ(out.targets_size(), 0);
  EXPECT_EQ(out.listen_port_end(), 0U);
  EXPECT_EQ(out.target_port_end(), 0U);
}

TEST(RuleWire, protocol_0_is_tcp) {
  v1::Rule rule = plain();
  rule.clear_protocol();
  const auto result = rule_from_wire(rule);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->protocol, model::Protocol::tcp);
}

TEST(RuleWire, one_row_without_extras_is_a_plain_rule) {
  v1::Rule rule = one_row();
  rule.set_health_check_interval_secs(5);  // one target has no health state (data-plane section 9)
  rule.mutable_targets(0)->set_priority(9);
  rule.mutable_rate_limit();  // no caps inside
  EXPECT_TRUE(rule_from_wire(rule));

  // Only the list counts, whatever stands beside it.
  rule.clear_target_host();
  rule.clear_target_port();
  const auto bare = rule_from_wire(rule);
  ASSERT_TRUE(bare);
  EXPECT_EQ(bare->target.text(), "10.0.0.5:8080");
}

TEST(RuleWire, an_unknown_proxy_version_counts_as_none) {
  v1::Rule rule = one_row();
  rule.mutable_targets(0)->set_proxy_protocol(static_cast<v1::ProxyProtocolVersion>(7));
  EXPECT_TRUE(rule_from_wire(rule));
  rule.mutable_targets(0)->set_proxy_protocol(v1::PROXY_PROTOCOL_VERSION_UNSPECIFIED);
  EXPECT_TRUE(rule_from_wire(rule));
}

TEST(RuleWire, a_range_of_one_port_is_a_single_port) {
  v1::Rule rule = plain();
  rule.set_listen_port_end(18080);
  EXPECT_TRUE(rule_from_wire(rule));
  rule.set_target_port_end(8080);
  EXPECT_TRUE(rule_from_wire(rule));
}

TEST(RuleWire, udp_and_unknown_protocols_are_refused) {
  v1::Rule rule = plain();
  rule.set_protocol(v1::UDP);
  expect_refused(rule, Kind::protocol, "unsupported_protocol");
  rule.set_protocol(static_cast<v1::Protocol>(77));
  expect_refused(rule, Kind::protocol, "unsupported_protocol");
}

TEST(RuleWire, malformed_ranges_are_range_invalid) {
  const auto with = [](std::uint32_t listen, std::uint32_t listen_end, std::uint32_t target,
                       std::uint32_t target_end) {
    v1::Rule rule = plain();
    rule.set_listen_port(listen);
    rule.set_listen_port_end(listen_end);
    rule.set_target_port(target);
    rule.set_target_port_end(target_end);
    return rule;
  };
  expect_refused(with(0, 0, 80, 0), Kind::range, "range_invalid");
  expect_refused(with(65536, 0, 80, 0), Kind::range, "range_invalid");
  expect_refused(with(0xFFFFFFFF, 0xFFFFFFFF, 80, 80), Kind::range, "range_invalid");
  expect_refused(with(100, 99, 80, 80), Kind::range, "range_invalid");
  expect_refused(with(100, 70000, 80, 69980), Kind::range, "range_invalid");
  expect_refused(with(100, 109, 80, 88), Kind::range, "range_invalid");
  expect_refused(with(100, 109, 80, 0), Kind::range, "range_invalid");
  expect_refused(with(100, 0, 80, 89), Kind::range, "range_invalid");
  expect_refused(with(100, 0, 0, 0), Kind::range, "range_invalid");
  expect_refused(with(100, 0, 65536, 0), Kind::range, "range_invalid");
  v1::Rule list = one_row();
  list.set_listen_port_end(18090);
  expect_refused(list, Kind::range, "range_invalid");
}

TEST(RuleWire, malformed_targets_have_their_reasons) {
  for (const char* host : {"", "::1", "[10.0.0.1]", "a..b", "-a.example", "a_b", "12", "a b"}) {
    v1::Rule rule = plain();
    rule.set_target_host(host);
    const auto result = rule_from_wire(rule);
    ASSERT_FALSE(result) << host;
    EXPECT_EQ(result.error().reason, "invalid_target_host");
    EXPECT_EQ(result.error().kind, Kind::target);
  }
  v1::Rule rule = one_row();
  v1::Target& second = *rule.add_targets();
  second.set_host("10.0.0.6");
  expect_refused(rule, Kind::target, "target_invalid_port:1", 1);
  second.set_port(70000);
  expect_refused(rule, Kind::target, "target_invalid_port:1", 1);
}

TEST(RuleWire, what_is_not_built_is_refused_by_name) {
  v1::Rule range = plain();
  range.set_listen_port_end(18089);
  range.set_target_port_end(8089);
  expect_refused(range, Kind::unsupported, "range_unsupported_by_client");

  v1::Rule several = one_row();
  *several.add_targets() = several.targets(0);
  expect_refused(several, Kind::unsupported, "multi_target_unsupported_by_client");

  v1::Rule sni = one_row();
  sni.set_sni_pattern("a.example");
  expect_refused(sni, Kind::unsupported, "sni_unsupported_by_client");

  v1::Rule proxy = one_row();
  proxy.mutable_targets(0)->set_proxy_protocol(v1::PROXY_PROTOCOL_VERSION_V2);
  expect_refused(proxy, Kind::unsupported, "proxy_protocol_unsupported_by_client");

  v1::Rule caps = plain();
  caps.mutable_rate_limit()->set_concurrent_connections(0);
  expect_refused(caps, Kind::unsupported, "rate_limit_unsupported_by_client");

  v1::Rule name = plain();
  name.set_target_host("db.example");
  expect_refused(name, Kind::unsupported, "dns_unsupported_by_client");
}

}  // namespace
}  // namespace portunus::wire
