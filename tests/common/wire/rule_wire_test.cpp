#include "common/wire/rule_wire.hpp"

#include <gtest/gtest.h>

#include <expected>
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

model::RuleSpec plain_spec() {
  model::RuleSpec rule;
  rule.id = RuleId{7};
  rule.listen_port = 18080;
  rule.targets = {{.host = "10.0.0.5", .port = 8080}};
  return rule;
}

/// What a peer makes of what we sent.
std::expected<model::RuleSpec, RuleRefusal> round_trip(const model::RuleSpec& rule) {
  v1::Rule out;
  rule_to_wire(rule, out);
  v1::Rule in;
  EXPECT_TRUE(in.ParseFromString(out.SerializeAsString()));
  return rule_from_wire(in);
}

void expect_round_trip(const model::RuleSpec& rule) {
  const auto back = round_trip(rule);
  ASSERT_TRUE(back) << back.error().reason;
  EXPECT_EQ(*back, rule);
}

std::string encoded(const model::RuleSpec& rule) {
  v1::Rule out;
  rule_to_wire(rule, out);
  return out.SerializeAsString();
}

TEST(RuleWire, a_plain_rule_survives_the_round_trip) {
  model::RuleSpec rule = plain_spec();
  rule.listen_port = 65535;
  rule.targets = {{.host = "[2001:db8::1]", .port = 1}};
  rule.owner_id = "alice";
  expect_round_trip(rule);
  rule.targets[0].host = "db.example";
  rule.protocol = model::Protocol::udp;
  expect_round_trip(rule);
}

TEST(RuleWire, RNG_1_a_range_survives_the_round_trip) {
  model::RuleSpec rule = plain_spec();
  rule.protocol = model::Protocol::udp;
  rule.listen_port = 30000;
  rule.ports = 51;
  rule.targets[0].port = 40000;
  v1::Rule out;
  rule_to_wire(rule, out);
  EXPECT_EQ(out.listen_port_end(), 30050U);
  EXPECT_EQ(out.target_port_end(), 40050U);
  EXPECT_EQ(out.targets_size(), 0);
  expect_round_trip(rule);

  rule.listen_port = 1;
  rule.targets[0].port = 1;
  rule.ports = 65535;
  expect_round_trip(rule);
}

TEST(RuleWire, a_list_keeps_its_rows_and_their_order) {
  model::RuleSpec rule = plain_spec();
  rule.listed = true;
  rule.targets.clear();
  for (std::uint16_t i = 0; i < model::kMaxTargets; ++i) {
    rule.targets.push_back({.host = "h" + std::to_string(i) + ".example",
                            .port = static_cast<std::uint16_t>(1000 + i),
                            .priority = 99U - i});
  }
  rule.health_check_interval_secs = 3600;
  rule.prefer_ipv6 = true;
  expect_round_trip(rule);
}

TEST(RuleWire, the_copy_of_row_0_stands_beside_every_list) {
  model::RuleSpec rule = plain_spec();
  rule.targets.push_back({.host = "10.0.0.6", .port = 8081});
  v1::Rule out;
  rule_to_wire(rule, out);
  EXPECT_EQ(out.target_host(), "10.0.0.5");
  EXPECT_EQ(out.target_port(), 8080U);
  EXPECT_EQ(out.listen_port_end(), 0U);
  EXPECT_EQ(out.target_port_end(), 0U);
  EXPECT_EQ(out.targets_size(), 2);
}

TEST(RuleWire, sni_proxy_and_caps_make_a_list_of_their_single_row) {
  model::RuleSpec sni = plain_spec();
  sni.sni_pattern = "*.a.example";
  model::RuleSpec proxy = plain_spec();
  proxy.targets[0].proxy = model::ProxyVersion::v2;
  model::RuleSpec caps = plain_spec();
  caps.rate_limit.emplace().bandwidth_in_bps = 5;
  model::RuleSpec listed = plain_spec();
  listed.listed = true;
  for (model::RuleSpec rule : {sni, proxy, caps, listed}) {
    v1::Rule out;
    rule_to_wire(rule, out);
    EXPECT_EQ(out.targets_size(), 1);
    EXPECT_EQ(out.target_host(), "10.0.0.5");
    rule.listed = true;  // that is what a reader makes of it
    expect_round_trip(rule);
  }
}

TEST(RuleWire, both_versions_of_the_proxy_header_travel) {
  model::RuleSpec rule = plain_spec();
  rule.listed = true;
  rule.targets[0].proxy = model::ProxyVersion::v1;
  rule.targets.push_back({.host = "10.0.0.6", .port = 1, .proxy = model::ProxyVersion::v2});
  rule.targets.push_back({.host = "10.0.0.7", .port = 1});
  expect_round_trip(rule);
}

TEST(RuleWire, nothing_unasked_is_set) {
  model::RuleSpec rule;
  rule.listen_port = 80;
  rule.targets = {{.host = "10.0.0.1", .port = 81}};
  rule.rate_limit = model::RateLimit{};  // empty, so no field
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
  EXPECT_EQ(out.health_check_interval_secs(), 0U);
}

TEST(RuleWire, nothing_unasked_is_set_in_a_row_of_a_list) {
  model::RuleSpec rule = plain_spec();
  rule.listed = true;
  v1::Rule out;
  rule_to_wire(rule, out);
  ASSERT_EQ(out.targets_size(), 1);
  EXPECT_FALSE(out.targets(0).has_proxy_protocol());
  EXPECT_EQ(out.targets(0).SerializeAsString(),
            std::string("\x0a\x08") + "10.0.0.5" + "\x10\x90\x3f");
}

TEST(RuleWire, absent_and_false_prefer_ipv6_stay_distinguishable) {
  model::RuleSpec rule = plain_spec();
  expect_round_trip(rule);
  const std::string absent = encoded(rule);
  rule.prefer_ipv6 = false;
  expect_round_trip(rule);
  EXPECT_EQ(encoded(rule).size(), absent.size() + 2);
  rule.prefer_ipv6 = true;
  expect_round_trip(rule);
}

TEST(RuleWire, a_hot_update_differs_from_its_rule_in_the_caps_alone) {
  model::RuleSpec rule = plain_spec();
  rule.listed = true;
  v1::Rule before;
  rule_to_wire(rule, before);
  rule.rate_limit.emplace().concurrent_connections = 3;
  v1::Rule after;
  rule_to_wire(rule, after);
  EXPECT_EQ(after.rate_limit().concurrent_connections(), 3U);
  after.clear_rate_limit();
  EXPECT_EQ(after.SerializeAsString(), before.SerializeAsString());
}

TEST(RuleWire, the_name_in_the_standalone_file_does_not_travel) {
  model::RuleSpec rule = plain_spec();
  const std::string before = encoded(rule);
  rule.label = "web";
  EXPECT_EQ(encoded(rule), before);
}

TEST(RuleWire, protocol_0_is_tcp) {
  v1::Rule rule = plain();
  rule.clear_protocol();
  const auto result = rule_from_wire(rule);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->protocol, model::Protocol::tcp);
}

TEST(RuleWire, only_the_list_counts_whatever_stands_beside_it) {
  v1::Rule rule = one_row();
  rule.mutable_targets(0)->set_priority(9);
  rule.set_target_host("not this one");
  rule.set_target_port(70000);
  rule.set_target_port_end(3);
  const auto odd = rule_from_wire(rule);
  ASSERT_TRUE(odd);
  ASSERT_EQ(odd->targets.size(), 1U);
  EXPECT_EQ(odd->target().text(), "10.0.0.5:8080");
  EXPECT_EQ(odd->target().priority, 9U);
  EXPECT_TRUE(odd->listed);

  rule.clear_target_host();
  rule.clear_target_port();
  EXPECT_TRUE(rule_from_wire(rule));
}

TEST(RuleWire, an_empty_pattern_and_an_empty_envelope_are_none) {
  v1::Rule rule = one_row();
  rule.set_sni_pattern("");
  rule.mutable_rate_limit();
  const auto read = rule_from_wire(rule);
  ASSERT_TRUE(read);
  EXPECT_FALSE(read->sni_pattern);
  EXPECT_FALSE(read->rate_limit);
}

TEST(RuleWire, caps_of_a_rule_without_a_list_are_honoured) {
  v1::Rule rule = plain();
  rule.mutable_rate_limit()->set_bandwidth_out_bps(100);
  const auto read = rule_from_wire(rule);
  ASSERT_TRUE(read);
  ASSERT_TRUE(read->rate_limit);
  EXPECT_EQ(read->rate_limit->bandwidth_out_bps, 100U);
}

TEST(RuleWire, an_unknown_proxy_version_counts_as_none) {
  v1::Rule rule = one_row();
  for (const int version : {0, 7}) {
    rule.mutable_targets(0)->set_proxy_protocol(static_cast<v1::ProxyProtocolVersion>(version));
    const auto read = rule_from_wire(rule);
    ASSERT_TRUE(read);
    EXPECT_FALSE(read->target().proxy);
  }
}

TEST(RuleWire, a_range_of_one_port_is_a_single_port) {
  v1::Rule rule = plain();
  rule.set_listen_port_end(18080);
  for (const std::uint32_t target_end : {0U, 8080U}) {
    rule.set_target_port_end(target_end);
    const auto read = rule_from_wire(rule);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->ports, 1U);
    EXPECT_EQ(encoded(*read), encoded(plain_spec()));
  }
}

TEST(RuleWire, unknown_protocols_are_refused) {
  v1::Rule rule = plain();
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

TEST(RuleWire, more_rows_than_a_rule_may_have_are_refused) {
  v1::Rule rule = one_row();
  while (rule.targets_size() < 9) *rule.add_targets() = rule.targets(0);
  expect_refused(rule, Kind::target, "targets_too_many", 8);
  rule.mutable_targets()->RemoveLast();
  EXPECT_TRUE(rule_from_wire(rule));
}

TEST(RuleWire, SNI_1_a_pattern_is_canonical_and_on_a_single_tcp_port) {
  v1::Rule rule = one_row();
  rule.set_sni_pattern("*.Example.COM");
  const auto read = rule_from_wire(rule);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->sni_pattern, "*.example.com");

  for (const char* pattern : {"*", "*.com", "a.*.b", "a_b.example", "-a.example", " "}) {
    rule.set_sni_pattern(pattern);
    expect_refused(rule, Kind::sni, "sni_pattern_malformed");
  }
  rule.set_sni_pattern("a.example");
  rule.set_protocol(v1::UDP);
  expect_refused(rule, Kind::sni, "sni_on_unsupported_rule");
  v1::Rule range = plain();
  range.set_listen_port_end(18089);
  range.set_target_port_end(8089);
  range.set_sni_pattern("a.example");
  expect_refused(range, Kind::sni, "sni_on_unsupported_rule");
}

TEST(RuleWire, a_proxy_header_on_udp_is_refused) {
  v1::Rule rule = one_row();
  *rule.add_targets() = rule.targets(0);
  rule.mutable_targets(1)->set_proxy_protocol(v1::PROXY_PROTOCOL_VERSION_V2);
  rule.set_protocol(v1::UDP);
  expect_refused(rule, Kind::target, "proxy_protocol_on_unsupported_rule", 1);
  rule.mutable_targets(1)->set_proxy_protocol(v1::PROXY_PROTOCOL_VERSION_UNSPECIFIED);
  EXPECT_TRUE(rule_from_wire(rule));
}

TEST(RuleWire, caps_that_no_operator_could_set_are_refused) {
  v1::Rule rule = one_row();
  rule.mutable_rate_limit()->set_concurrent_connections(0);
  expect_refused(rule, Kind::limit, "rate_limit_cap_zero");
  rule.mutable_rate_limit()->set_concurrent_connections(1);
  rule.mutable_rate_limit()->set_bandwidth_in_burst(1);
  expect_refused(rule, Kind::limit, "rate_limit_burst_without_rate");
  rule.mutable_rate_limit()->set_bandwidth_in_bps(1000);
  rule.mutable_rate_limit()->set_bandwidth_in_burst(9);
  expect_refused(rule, Kind::limit, "rate_limit_burst_range");
  rule.mutable_rate_limit()->set_bandwidth_in_burst(10);
  EXPECT_TRUE(rule_from_wire(rule));
}

}  // namespace
}  // namespace portunus::wire
