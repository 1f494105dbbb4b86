#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "tests/server/rules/rule_fixture.hpp"

// The checks of a push that need the store or the session (http-api 8.2, rows 10 to 18), and what
// reaches the edge.

namespace portunus::server::rules {
namespace {

using store::RuleState;
using Change = std::function<void(PushRequest&)>;

class RulePushTest : public RuleFixture {
 protected:
  Error refusal(PushRequest asked, const Change& change) {
    change(asked);
    const auto row = refuse(std::move(asked));
    return row ? Error(std::error_code()) : row.error();
  }
  Error refusal(const Change& change) { return refusal(request(), change); }
  Error list_refusal(const Change& change) { return refusal(list_request(), change); }
  void edge_is(ClientCapabilities capabilities) { sink_.live[kEdge] = std::move(capabilities); }

  static void unknown_protocol(PushRequest& r) { r.protocol = "x"; }
  static void bad_host(PushRequest& r) { r.target_host = "a..b"; }
  static void proxied_udp(PushRequest& r) {
    r.protocol = "udp";
    r.targets->front().proxy_protocol = "v1";
  }
  static void offline(PushRequest& r) { r.client = "edge-02"; }
  static void longer(PushRequest& r) {
    r.listen_port_end = r.listen_port + 1;
    r.target_port_end = *r.target_port + 2;
  }
};

TEST_F(RulePushTest, HTTP_8_2_row_10_client_then_protocol_both_before_11) {
  const Actor alice{"alice", false};
  PushRequest asked = request();
  asked.client = "Edge";
  asked.protocol = "x";
  EXPECT_EQ(io_.run(service_->push(alice, asked)).error(), Errc::invalid_name);
  asked.client = "01J00000000000000000000009";
  EXPECT_EQ(io_.run(service_->push(alice, asked)).error(), Errc::client_not_found);
  asked.client = "edge-01";
  EXPECT_EQ(io_.run(service_->push(alice, asked)).error(), Errc::invalid_protocol);
}

TEST_F(RulePushTest, HTTP_8_2_row_9_before_10) {
  EXPECT_EQ(list_refusal([](auto& r) {
              r.client = "Edge";
              r.targets->front().port = 0;
            }),
            Errc::target_invalid_port);
}

TEST_F(RulePushTest, HTTP_8_2_row_11_before_12) {
  const Actor alice{"alice", false};
  PushRequest asked = request();
  bad_host(asked);
  EXPECT_EQ(io_.run(service_->push(alice, asked)).error(), Errc::client_not_granted);
  asked.sni_pattern = "a.b";
  EXPECT_EQ(io_.run(service_->push(alice, asked)).error(), Errc::client_not_granted);
  EXPECT_EQ(refuse(asked).error(), Errc::target_invalid_host);
}

TEST_F(RulePushTest, HTTP_8_2_row_11_says_what_is_missing) {
  const Actor alice{"alice", false};
  std::optional<model::GrantMiss> miss;
  std::vector<std::string> asked;
  service_->set_rights([&](store::Connection&, const store::ClientRef& client,
                           const model::RuleSpec& spec) -> Result<std::optional<model::GrantMiss>> {
    asked.push_back(client.key() + " " + spec.owner_id + " " + std::to_string(spec.listen_port));
    return miss;
  });
  const std::vector<std::pair<model::GrantMiss, Errc>> cases = {
      {model::GrantMiss::client, Errc::client_not_granted},
      {model::GrantMiss::protocol, Errc::protocol_not_granted},
      {model::GrantMiss::ports, Errc::port_outside_grant}};
  for (const auto& [lacking, code] : cases) {
    miss = lacking;
    EXPECT_EQ(io_.run(service_->push(alice, request())).error(), code);
  }
  EXPECT_EQ(asked, std::vector<std::string>(3, kEdge + " alice 18080"));
  EXPECT_EQ(service_->count(), 0U);
  asked.clear();
  PushRequest elsewhere = request();
  elsewhere.client = "not-enrolled";
  EXPECT_EQ(io_.run(service_->push(alice, elsewhere)).error(), Errc::port_outside_grant);
  EXPECT_EQ(asked, std::vector<std::string>{"/not-enrolled alice 18080"});

  // Superadmins need no grant, and nobody looks for one.
  asked.clear();
  activate();
  EXPECT_TRUE(asked.empty());
}

TEST_F(RulePushTest, HTTP_4_rights_are_asked_for_again_where_the_rule_is_stored) {
  int calls = 0;
  service_->set_rights([&](store::Connection&, const store::ClientRef&,
                           const model::RuleSpec&) -> Result<std::optional<model::GrantMiss>> {
    if (++calls == 1) return std::nullopt;
    return model::GrantMiss::client;  // revoked meanwhile
  });
  EXPECT_EQ(io_.run(service_->push({"alice", false}, request())).error(), Errc::client_not_granted);
  EXPECT_EQ(calls, 2);
  EXPECT_TRUE(sink_.sent.empty());
  restart();
  EXPECT_EQ(service_->count(), 0U);
}

TEST_F(RulePushTest, HTTP_8_2_row_12_before_15) {
  EXPECT_EQ(refusal([](auto& r) {
              offline(r);
              bad_host(r);
            }),
            Errc::invalid_target_host);
}

TEST_F(RulePushTest, HTTP_8_2_row_13_before_14) {
  edge_is({.udp = false, .version = "0.6"});
  EXPECT_EQ(list_refusal(proxied_udp), Errc::proxy_protocol_on_unsupported_rule);
}

TEST_F(RulePushTest, HTTP_8_2_row_14_the_gates_of_the_release_before_15) {
  edge_is({.udp = false, .version = "0.6"});
  EXPECT_EQ(list_refusal([](auto& r) { r.protocol = "udp"; }),
            Errc::multi_target_unsupported_by_client);
  edge_is({.udp = false, .version = "0.8"});
  EXPECT_EQ(list_refusal([](auto& r) {
              r.sni_pattern = "a.b";
              r.targets->front().proxy_protocol = "v2";
            }),
            Errc::sni_unsupported_by_client);
  // An offline client has no version: some gates pass, others do not.
  EXPECT_EQ(list_refusal([](auto& r) {
              offline(r);
              r.sni_pattern = "a.b";
            }),
            Errc::client_not_connected);
  EXPECT_EQ(list_refusal([](auto& r) {
              offline(r);
              r.targets->front().proxy_protocol = "v2";
              r.rate_limit = WantedCaps{.limit = {.concurrent_connections = 1}};
            }),
            Errc::proxy_protocol_unsupported_by_client);
  EXPECT_EQ(list_refusal([](auto& r) {
              r.client = "edge-77";
              r.rate_limit = WantedCaps{.limit = {.concurrent_connections = 1}};
            }),
            Errc::rate_limit_unsupported_by_client);
}

TEST_F(RulePushTest, HTTP_8_2_row_15_before_the_UDP_gate_and_that_before_16) {
  EXPECT_EQ(refusal([](auto& r) {
              offline(r);
              r.protocol = "udp";
              longer(r);
            }),
            Errc::client_not_connected);
  EXPECT_EQ(refusal([](auto& r) { r.client = "edge-77"; }), Errc::client_not_connected);
  edge_is({.udp = false, .version = "1.8.0"});
  EXPECT_EQ(refusal([](auto& r) {
              r.protocol = "udp";
              longer(r);
            }),
            Errc::unsupported_protocol);
}

TEST_F(RulePushTest, HTTP_8_2_rows_16_17_and_18_in_order) {
  settings_.max_ports = 4;
  restart();
  activate(18'083);
  const auto range = [&](std::uint32_t listen, std::uint32_t target) {
    return refusal([&](auto& r) {
             r.listen_port_end = r.listen_port + listen - 1;
             r.target_port_end = *r.target_port + target - 1;
           })
        .text();
  };
  EXPECT_EQ(range(5, 4), "range_invalid: 5 listen ports, 4 target ports");
  EXPECT_EQ(range(5, 5), "exceeds_cap: 5 ports, at most 4");
  EXPECT_EQ(range(4, 4), "port_in_use: port 18083 already in use");
  EXPECT_EQ(list_refusal([](auto& r) {
              r.listen_port_end = r.listen_port + 3;
              r.target_port_end = 83;
            }),
            Errc::range_invalid);
  EXPECT_EQ(service_->count(), 1U);
}

TEST_F(RulePushTest, a_refused_push_leaves_nothing) {
  edge_is({.udp = false, .version = "0.6"});
  EXPECT_EQ(list_refusal([](auto&) {}), Errc::multi_target_unsupported_by_client);
  EXPECT_TRUE(sink_.sent.empty());
  restart();
  EXPECT_EQ(service_->count(), 0U);
}

TEST_F(RulePushTest, HTTP_8_5_a_priority_over_99_cannot_be_persisted) {
  PushRequest asked = list_request();
  asked.targets->back().priority = 100;
  const auto row = refuse(asked);
  EXPECT_EQ(row.error(), Errc::activation_failed);
  EXPECT_TRUE(row.error().detail.starts_with("persist_rule: ")) << row.error().detail;
  EXPECT_TRUE(sink_.sent.empty());
  EXPECT_EQ(service_->count(), 0U);
  restart();
  EXPECT_EQ(service_->count(), 0U);
}

TEST_F(RulePushTest, CW_9_a_gate_that_closes_before_the_send_keeps_the_rule_from_the_edge) {
  // While the rule is being stored another session takes over, of a client that can do less.
  sink_.next_session = ClientCapabilities{.udp = false, .version = "0.6"};
  EXPECT_EQ(refuse(list_request()).error(), Errc::multi_target_unsupported_by_client);
  EXPECT_EQ(sink_.asked, 2);  // the checks of the push were passed
  EXPECT_TRUE(sink_.sent.empty());
  restart();
  EXPECT_EQ(service_->count(), 0U);
}

TEST_F(RulePushTest, CW_3_rules_of_every_shape_reach_the_edge_and_survive_a_restart) {
  std::vector<PushRequest> shapes = {list_request(1001, 8), request(1002), request(1003),
                                     list_request(1004, 1)};
  shapes[0].targets->at(3).priority = 99;
  shapes[0].targets->at(4).proxy_protocol = "V1";
  shapes[0].health_check_interval_secs = 30;
  shapes[1].protocol = "UDP";
  shapes[1].target_host = "Backend.Example";
  shapes[1].listen_port_end = 2001;
  shapes[1].target_port_end = 1079;
  shapes[2].sni_pattern = "*.Example.com";
  shapes[2].prefer_ipv6 = true;
  shapes[3].rate_limit = WantedCaps{.limit = {.bandwidth_in_bps = 1'048'576}};
  for (PushRequest& shape : shapes) activate(shape);

  ASSERT_EQ(sink_.sent.size(), 4U);
  const auto& spec = [&](std::size_t i) -> const model::RuleSpec& { return sink_.sent[i].spec; };
  EXPECT_EQ(spec(0).targets.size(), 8U);
  EXPECT_EQ(spec(0).targets[3].priority, 99U);
  EXPECT_EQ(spec(0).targets[4].proxy, model::ProxyVersion::v1);
  EXPECT_EQ(spec(0).health_check_interval_secs, 30U);
  EXPECT_EQ(spec(1).protocol, model::Protocol::udp);
  EXPECT_EQ(spec(1).ports, 1000U);
  EXPECT_EQ(spec(1).target().text(), "backend.example:80");
  EXPECT_EQ(spec(2).sni_pattern, "*.example.com");
  EXPECT_TRUE(spec(2).listed);
  EXPECT_EQ(spec(3).rate_limit->bandwidth_in_bps, 1'048'576U);
  restart();
  for (const FakeSink::Sent& sent : sink_.sent) {
    EXPECT_EQ(shown(sent.rule).spec, sent.spec) << sent.rule.value;
    EXPECT_EQ(shown(sent.rule).spec.owner_id, "root");
  }
}

TEST_F(RulePushTest, OBS_2_the_audit_line_names_the_shape) {
  PushRequest several = list_request(1001, 3);
  several.health_check_interval_secs = 30;
  activate(several);
  EXPECT_EQ(
      log_.count("audit.rule_push", {"\"outcome\":\"sent\"", "\"listen_port_end\":1001",
                                     "\"range_size\":1", "\"target_count\":3",
                                     "\"health_check_interval_secs\":30", "\"multi_target\":true"}),
      1U);
  EXPECT_EQ(log_.count("audit.rule_push", {"\"target\":"}), 0U);
  PushRequest range = request(2001);
  range.listen_port_end = 2010;
  range.target_port_end = 89;
  activate(range);
  EXPECT_EQ(log_.count("audit.rule_push",
                       {"\"outcome\":\"sent\"", "\"listen_port\":2001", "\"listen_port_end\":2010",
                        "\"range_size\":10", "\"target\":\"10.0.0.5:80\""}),
            1U);
  EXPECT_EQ(log_.count("audit.rule_push", {"\"range_size\":10", "multi_target"}), 0U);
}

TEST_F(RulePushTest, HTTP_8_4_TCP_and_UDP_share_a_port_and_SNI_rules_share_one) {
  activate(443);
  PushRequest udp = request(443);
  udp.protocol = "udp";
  activate(udp);
  PushRequest sni = request(443);
  sni.sni_pattern = "a.b";
  EXPECT_EQ(refuse(sni).error(), Errc::legacy_to_sni_unsupported);
  sni.listen_port = 8443;
  activate(sni);
  EXPECT_EQ(refuse(sni).error(), Errc::sni_route_duplicate);
  sni.sni_pattern = "*.b.c";
  activate(sni);
  activate(8443);
  EXPECT_EQ(refuse(request(8443)).error(), Errc::sni_fallback_duplicate);
}

}  // namespace
}  // namespace portunus::server::rules
