#include "server/rules/rule_check.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "server/rules/errc.hpp"

namespace portunus::server::rules {
namespace {

using Change = std::function<void(PushRequest&)>;

PushRequest single() {
  return {.client = "edge-01", .listen_port = 18080, .target_host = "10.0.0.5", .target_port = 80};
}

PushRequest list(std::vector<WantedTarget> targets = {{.host = "a.example", .port = 80},
                                                      {.host = "b.example", .port = 80}}) {
  return {.client = "edge-01", .listen_port = 18080, .targets = std::move(targets)};
}

PushRequest with(PushRequest request, const Change& change) {
  change(request);
  return request;
}

/// One way to be wrong. `detail` tells apart what shares a code.
struct Fault {
  const char* name;
  Change change;
  Errc code;
  std::string detail = {};
};

WantedCaps& caps_of(PushRequest& request) {
  if (!request.rate_limit) request.rate_limit.emplace();
  return *request.rate_limit;
}

std::vector<Fault> rows_3_to_6() {
  return {
      {"3 one end", [](auto& r) { r.listen_port_end = 18080; }, Errc::range_invalid,
       "listen_port_end and target_port_end come together"},
      {"3 port 0", [](auto& r) { r.listen_port = 0; }, Errc::range_invalid,
       "bad listen port range"},
      {"4 SNI on UDP",
       [](auto& r) {
         r.protocol = "UDP";
         if (!r.sni_pattern) r.sni_pattern = "a.b";
       },
       Errc::sni_on_unsupported_rule},
      {"5 SNI grammar", [](auto& r) { r.sni_pattern = " "; }, Errc::sni_pattern_malformed},
      {"6 reserved", [](auto& r) { caps_of(r).reserved_key = true; },
       Errc::rate_limit_burst_unsupported},
      {"6 zero", [](auto& r) { caps_of(r).limit.concurrent_connections = 0; },
       Errc::rate_limit_cap_zero},
      {"6 burst alone", [](auto& r) { caps_of(r).limit.bandwidth_in_burst = 5; },
       Errc::rate_limit_burst_without_rate},
      {"6 burst range",
       [](auto& r) {
         caps_of(r).limit.new_connections_per_sec = 1;
         caps_of(r).limit.new_connections_burst = 61;
       },
       Errc::rate_limit_burst_range},
  };
}

std::vector<Fault> single_faults() {
  std::vector<Fault> out = {
      {"1 both shapes", [](auto& r) { r.targets.emplace(); }, Errc::rule_shape_conflict},
      {"2 no port", [](auto& r) { r.target_port.reset(); }, Errc::rule_shape_missing},
  };
  for (Fault& fault : rows_3_to_6()) out.push_back(std::move(fault));
  out.push_back({"7s caps", [](auto& r) { caps_of(r); }, Errc::rate_limit_on_legacy_shape});
  out.push_back({"8s target port 0", [](auto& r) { r.target_port = 0; }, Errc::range_invalid,
                 "bad target port range"});
  return out;
}

std::vector<Fault> list_faults() {
  std::vector<Fault> out = {
      {"1 both shapes", [](auto& r) { r.target_port = 1; }, Errc::rule_shape_conflict},
  };
  for (Fault& fault : rows_3_to_6()) out.push_back(std::move(fault));
  const std::vector<Fault> rest = {
      {"7m interval", [](auto& r) { r.health_check_interval_secs = 0; },
       Errc::health_check_interval_out_of_range},
      {"8m empty", [](auto& r) { r.targets->clear(); }, Errc::targets_empty},
      {"8m PROXY", [](auto& r) { r.targets->back().proxy_protocol = "v3"; },
       Errc::proxy_protocol_invalid},
      {"8m nine", [](auto& r) { r.targets->resize(9, r.targets->back()); }, Errc::targets_too_many},
      {"9m host of row 0", [](auto& r) { r.targets->at(0).host = "a_b"; },
       Errc::target_invalid_host, "targets[0].host: a_b"},
      {"9m port of row 0", [](auto& r) { r.targets->at(0).port = 0; }, Errc::target_invalid_port,
       "targets[0].port: 0"},
      {"9m host of row 1", [](auto& r) { r.targets->at(1).host = ""; }, Errc::target_invalid_host,
       "targets[1].host: "},
      {"9m port of row 1", [](auto& r) { r.targets->at(1).port = 65'536; },
       Errc::target_invalid_port, "targets[1].port: 65536"},
      {"9m twins", [](auto& r) { r.targets->at(1) = {.host = "A.Example.", .port = 80}; },
       Errc::targets_duplicate, "a.example:80"},
  };
  out.insert(out.end(), rest.begin(), rest.end());
  return out;
}

void expect_refused(const PushRequest& request, const Fault& fault, const std::string& name) {
  const auto draft = check_shape(request);
  ASSERT_FALSE(draft) << name;
  EXPECT_EQ(draft.error(), fault.code) << name << ": " << draft.error().text();
  if (!fault.detail.empty()) EXPECT_EQ(draft.error().detail, fault.detail) << name;
}

/// Of two faults at once the one of the earlier row is the answer.
void expect_in_order(const PushRequest& good, const std::vector<Fault>& faults) {
  ASSERT_TRUE(check_shape(good));
  for (std::size_t i = 0; i < faults.size(); ++i) {
    expect_refused(with(good, faults[i].change), faults[i], faults[i].name);
    for (std::size_t j = i + 1; j < faults.size(); ++j) {
      const PushRequest both = with(with(good, faults[j].change), faults[i].change);
      expect_refused(both, faults[i], std::string(faults[i].name) + " and " + faults[j].name);
    }
  }
}

TEST(RuleCheck, HTTP_8_2_rows_1_to_9_in_order_for_a_single_target) {
  expect_in_order(single(), single_faults());
}

TEST(RuleCheck, HTTP_8_2_rows_1_to_9_in_order_for_a_list) {
  expect_in_order(list(), list_faults());
}

TEST(RuleCheck, HTTP_8_2_rows_2_and_3_in_detail) {
  const Fault missing{"", {}, Errc::rule_shape_missing};
  expect_refused(with(single(), [](auto& r) { r.target_host.reset(); }), missing, "no host");
  PushRequest bare = with(single(), [](auto& r) { r.target_host.reset(); });
  bare.target_port.reset();
  expect_refused(bare, missing, "neither");

  const Fault range{"", {}, Errc::range_invalid};
  const std::vector<std::pair<const char*, Change>> bad = {
      {"the other end", [](auto& r) { r.target_port_end = 80; }},
      {"too high", [](auto& r) { r.listen_port = 65'536; }},
      {"the end too high",
       [](auto& r) {
         r.listen_port_end = 65'536;
         r.target_port_end = 90;
       }},
      {"inverted",
       [](auto& r) {
         r.listen_port_end = 18'079;
         r.target_port_end = 80;
       }},
      {"the target's end too high",
       [](auto& r) {
         r.listen_port_end = 18'081;
         r.target_port_end = 65'536;
       }},
      {"the target's inverted",
       [](auto& r) {
         r.listen_port_end = 18'081;
         r.target_port_end = 79;
       }},
  };
  for (const auto& [name, change] : bad) expect_refused(with(single(), change), range, name);
  expect_refused(with(list(), [](auto& r) { r.listen_port_end = 18'081; }), range, "a list's end");
}

TEST(RuleCheck, HTTP_8_2_row_4_asks_for_one_port) {
  const Change range = [](auto& r) {
    r.sni_pattern = "a.b";
    r.listen_port_end = 18'081;
    r.target_port_end = 81;
  };
  const Fault fault{"", {}, Errc::sni_on_unsupported_rule};
  expect_refused(with(single(), range), fault, "range");
  expect_refused(with(list(), range), fault, "list");
  EXPECT_TRUE(check_shape(with(single(), [](auto& r) {
    r.sni_pattern = "a.b";
    r.listen_port_end = 18'080;
    r.target_port_end = 80;
  })));
}

TEST(RuleCheck, HTTP_8_1_patterns_become_canonical) {
  const auto pattern = [](const char* text) {
    return check_shape(with(list(), [&](auto& r) { r.sni_pattern = text; }));
  };
  EXPECT_EQ(pattern(" *.Example.COM\t")->spec.sni_pattern, "*.example.com");
  EXPECT_EQ(pattern("localhost")->spec.sni_pattern, "localhost");
  for (const char* bad : {"", "*.com", "*", "a..b", "-a.b", "a_b.c", "a.b."}) {
    const auto draft = pattern(bad);
    ASSERT_FALSE(draft) << bad;
    EXPECT_EQ(draft.error(), Errc::sni_pattern_malformed) << bad;
  }
}

TEST(RuleCheck, HTTP_7_3_violations_in_order_and_per_pair_in_out_new) {
  const auto refused = [](const std::function<void(WantedCaps&)>& change) {
    WantedCaps caps;
    change(caps);
    const auto good = check_caps(with(list(), [&](auto& r) { r.rate_limit = caps; }));
    return good ? Error(std::error_code()) : good.error();
  };
  EXPECT_EQ(refused([](auto& c) { c.limit.bandwidth_in_bps = 0; }), Errc::rate_limit_cap_zero);
  EXPECT_EQ(refused([](auto& c) { c.limit.bandwidth_out_bps = 0; }), Errc::rate_limit_cap_zero);
  EXPECT_EQ(refused([](auto& c) { c.limit.new_connections_per_sec = 0; }),
            Errc::rate_limit_cap_zero);
  EXPECT_EQ(refused([](auto& c) { c.limit.bandwidth_out_burst = 1; }),
            Errc::rate_limit_burst_without_rate);
  EXPECT_EQ(refused([](auto& c) { c.limit.new_connections_burst = 1; }),
            Errc::rate_limit_burst_without_rate);
  // The pair "in" before the pair "out", though its fault is the later one.
  EXPECT_EQ(refused([](auto& c) {
              c.limit.bandwidth_in_bps = 1000;
              c.limit.bandwidth_in_burst = 9;
              c.limit.bandwidth_out_burst = 1;
            }),
            Errc::rate_limit_burst_range);
  EXPECT_EQ(refused([](auto& c) {
              c.limit = {.bandwidth_in_bps = 1000,
                         .new_connections_per_sec = 1,
                         .bandwidth_in_burst = 10,
                         .new_connections_burst = 60};
            }).code,
            std::error_code());
}

TEST(RuleCheck, HTTP_8_1_a_list_becomes_the_rules_targets) {
  PushRequest asked = list({{.host = "Backend.Example.", .port = 1, .proxy_protocol = " V2 "},
                            {.host = "[0:0::1]", .port = 2, .priority = 7, .proxy_protocol = " "},
                            {.host = "10.0.0.1", .port = 65'535}});
  asked.health_check_interval_secs = 3600;
  asked.prefer_ipv6 = true;
  asked.rate_limit = WantedCaps{.limit = {.concurrent_connections = 5}};
  const auto draft = check_shape(asked);
  ASSERT_TRUE(draft) << draft.error().text();
  const model::RuleSpec& spec = draft->spec;
  EXPECT_EQ(spec.targets,
            (std::vector<model::Target>{{"backend.example", 1, 0, model::ProxyVersion::v2},
                                        {"[::1]", 2, 7},
                                        {"10.0.0.1", 65'535, 2}}));
  EXPECT_TRUE(spec.listed);
  EXPECT_EQ(spec.ports, 1U);
  EXPECT_EQ(draft->target_ports, 1U);
  EXPECT_EQ(spec.health_check_interval_secs, 3600U);
  EXPECT_EQ(spec.prefer_ipv6, true);
  EXPECT_EQ(spec.rate_limit, asked.rate_limit->limit);
}

TEST(RuleCheck, HTTP_8_1_a_single_target_ignores_the_interval_and_is_no_list) {
  PushRequest asked = single();
  asked.health_check_interval_secs = 0;
  asked.listen_port_end = 18'089;
  asked.target_port_end = 89;
  const auto draft = check_shape(asked);
  ASSERT_TRUE(draft) << draft.error().text();
  EXPECT_EQ(draft->spec.targets, (std::vector<model::Target>{{"10.0.0.5", 80}}));
  EXPECT_EQ(draft->spec.ports, 10U);
  EXPECT_EQ(draft->target_ports, 10U);
  EXPECT_FALSE(draft->spec.listed);
  EXPECT_EQ(draft->spec.health_check_interval_secs, std::nullopt);
}

TEST(RuleCheck, an_empty_envelope_is_none) {
  const auto draft = check_shape(with(list(), [](auto& r) { r.rate_limit.emplace(); }));
  ASSERT_TRUE(draft);
  EXPECT_EQ(draft->spec.rate_limit, std::nullopt);
}

TEST(RuleCheck, HTTP_8_2_with_a_pattern_a_single_target_counts_as_a_list_of_one) {
  PushRequest asked = single();
  asked.sni_pattern = "a.b";
  asked.rate_limit = WantedCaps{.limit = {.concurrent_connections = 5}};
  asked.target_host = "a_b";
  auto draft = check_shape(asked);
  ASSERT_TRUE(draft) << draft.error().text();
  EXPECT_TRUE(draft->spec.listed);
  EXPECT_TRUE(draft->spec.rate_limit);
  EXPECT_EQ(check_single_host(asked, *draft).error(), Errc::target_invalid_host);
}

TEST(RuleCheck, HTTP_8_2_row_10_protocol_word_in_any_case) {
  EXPECT_EQ(check_protocol("tcp").value(), model::Protocol::tcp);
  EXPECT_EQ(check_protocol("UdP").value(), model::Protocol::udp);
  EXPECT_EQ(check_protocol("sctp").error(), Errc::invalid_protocol);
  EXPECT_EQ(check_protocol("").error(), Errc::invalid_protocol);
}

TEST(RuleCheck, HTTP_8_2_row_12_target_host) {
  const auto host = [](std::string text) -> Result<std::string> {
    const PushRequest asked = with(single(), [&](auto& r) { r.target_host = text; });
    auto draft = check_shape(asked);
    if (!draft) return fail(draft.error());
    if (const auto good = check_single_host(asked, *draft); !good) return fail(good.error());
    return draft->spec.target().host;
  };
  EXPECT_EQ(host("10.0.0.5").value(), "10.0.0.5");
  EXPECT_EQ(host("[0:0::1]").value(), "[::1]");
  EXPECT_EQ(host("Backend.Example.").value(), "backend.example");
  EXPECT_EQ(host("::1").error(), Errc::invalid_target_host);
  EXPECT_EQ(host("").error(), Errc::invalid_target_host);
  EXPECT_EQ(host("300.1.2.3").error(), Errc::invalid_target_host);
  EXPECT_EQ(host("-a.example").error(), Errc::invalid_target_host_label_hyphen);
  EXPECT_EQ(host(std::string(64, 'a') + ".example").error(),
            Errc::invalid_target_host_label_too_long);
  std::string long_name;
  while (long_name.size() < 254) long_name += "abc.";
  EXPECT_EQ(host(long_name + "d").error(), Errc::invalid_target_host_too_long);
}

TEST(RuleCheck, HTTP_8_2_row_13_no_PROXY_header_on_UDP) {
  model::RuleSpec spec;
  spec.targets = {{"a", 1}, {"b", 2, 1, model::ProxyVersion::v1}};
  EXPECT_TRUE(check_proxy(spec));
  spec.protocol = model::Protocol::udp;
  EXPECT_EQ(check_proxy(spec).error(), Errc::proxy_protocol_on_unsupported_rule);
  spec.targets.pop_back();
  EXPECT_TRUE(check_proxy(spec));
}

TEST(RuleCheck, HTTP_8_2_rows_16_and_17) {
  const auto lengths = [](std::uint32_t listen, std::uint32_t target) {
    Draft draft;
    draft.spec.ports = listen;
    draft.target_ports = target;
    return check_lengths(draft, 1024);
  };
  EXPECT_TRUE(lengths(1, 1));
  EXPECT_TRUE(lengths(1024, 1024));
  EXPECT_EQ(lengths(3, 2).error(), Errc::range_invalid);
  EXPECT_EQ(lengths(1025, 1).error(), Errc::range_invalid);
  EXPECT_EQ(lengths(1025, 1025).error().text(), "exceeds_cap: 1025 ports, at most 1024");
}

}  // namespace
}  // namespace portunus::server::rules
