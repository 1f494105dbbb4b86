#include <gtest/gtest.h>

#include "server/metrics/exposition.hpp"
#include "tests/server/api/api_fixture.hpp"

namespace portunus::server::http::api {
namespace {

class RulesApiTest : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    bootstrap();
    id_ = enroll("edge-01");
  }
  std::string refused(Json body) { return refusal(post("/v1/rules", body)); }
  static Json with(Json body, const char* key, Json value) {
    body[key] = std::move(value);
    return body;
  }
  Response remove(std::uint64_t rule) {
    return send({.method = "DELETE", .target = "/v1/rules/" + std::to_string(rule)});
  }
  void report(std::uint64_t rule, std::uint64_t in, std::uint64_t out, std::uint32_t active) {
    model::RuleTraffic traffic;
    traffic.rule = RuleId{rule};
    traffic.bytes_in = in;
    traffic.bytes_out = out;
    traffic.active_connections = active;
    rules_->on_report(id_, "edge-01", {{traffic}, {}, {}});
  }
  std::string id_;
};

TEST_F(RulesApiTest, APushAnswersTheRule) {
  const Response pushed = post("/v1/rules", rule_body(18080));
  ASSERT_EQ(pushed.status, 201U) << pushed.body;
  const std::uint64_t id = json(pushed)["rule_id"];
  EXPECT_EQ(json(pushed), (Json{{"rule_id", id},
                                {"status", "Active"},
                                {"target_host", "10.0.1.5"},
                                {"prefer_ipv6", false},
                                {"protocol", "tcp"},
                                {"owner", "_superadmin"}}));
}

TEST_F(RulesApiTest, TheListHasTheContractsObject) {
  const std::uint64_t id = push(18080);
  Json list = json(get("/v1/rules"));
  ASSERT_EQ(list.size(), 1U);
  Json rule = list[0];
  EXPECT_TRUE(rule["created_at"].get<std::string>().ends_with("Z"));
  EXPECT_TRUE(rule["last_state_change_at"].get<std::string>().ends_with("Z"));
  rule.erase("created_at");
  rule.erase("last_state_change_at");
  EXPECT_EQ(rule, Json::parse(R"({"id":)" + std::to_string(id) + R"(,"client_id":")" + id_ +
                              R"(","client_name":"edge-01","listen_port":18080,
      "target_host":"10.0.1.5","target_port":8443,"prefer_ipv6":false,"protocol":"tcp",
      "state":{"kind":"active"},"owner_user_id":"_superadmin",
      "targets":[{"host":"10.0.1.5","port":8443,"priority":0,"proxy_protocol":null,
                  "health":null}]})"));
}

TEST_F(RulesApiTest, TheListIsFilteredByClientAndOwner) {
  push(18080);
  EXPECT_EQ(json(get("/v1/rules?client=edge-01")).size(), 1U);
  EXPECT_EQ(json(get("/v1/rules?client=" + id_)).size(), 1U);
  EXPECT_EQ(json(get("/v1/rules?client=%20")).size(), 1U);
  EXPECT_EQ(get("/v1/rules?client=edge-02").body, "[]");
  EXPECT_EQ(refusal(get("/v1/rules?client=Bad")), "400 invalid_name");
  EXPECT_EQ(refusal(get("/v1/rules?client=01HZZZZZZZZZZZZZZZZZZZZZZZ")), "404 client_not_found");
  EXPECT_EQ(refusal(get("/v1/rules?client=%")), "400 invalid_query");
  EXPECT_EQ(json(get("/v1/rules?owner=_superadmin")).size(), 1U);
  EXPECT_EQ(get("/v1/rules?owner=alice").body, "[]");
  const std::string alice = add_user("alice", store::Role::user);
  EXPECT_EQ(send({.target = "/v1/rules?owner=_superadmin", .token = alice}).body, "[]");
}

TEST_F(RulesApiTest, ShapeAndGrammarAreRefused) {
  const Json good = rule_body(18080);
  Json without_target = good;
  without_target.erase("target_host");
  EXPECT_EQ(refused(without_target), "400 rule_shape_missing");
  EXPECT_EQ(refused(with(good, "targets", Json::array())), "400 rule_shape_conflict");
  EXPECT_EQ(refused(with(good, "listen_port", 0)), "400 range_invalid");
  EXPECT_EQ(refused(with(good, "listen_port_end", 18081)), "400 range_invalid");
  EXPECT_EQ(refused(with(good, "client", "Bad")), "400 invalid_name");
  EXPECT_EQ(refused(with(good, "client", "01HZZZZZZZZZZZZZZZZZZZZZZZ")), "404 client_not_found");
  EXPECT_EQ(refused(with(good, "protocol", "sctp")), "400 invalid_protocol");
  EXPECT_EQ(refused(with(good, "target_host", "a b")), "400 invalid_target_host");
  EXPECT_EQ(refused(with(good, "target_host", "-a.example")),
            "400 invalid_target_host_label_hyphen");
  EXPECT_EQ(refused(with(good, "target_host", std::string(64, 'a') + ".example")),
            "400 invalid_target_host_label_too_long");
  std::string name;
  while (name.size() <= 253) name += "abcdefgh.";
  EXPECT_EQ(refused(with(good, "target_host", name + "x")), "400 invalid_target_host_too_long");
  EXPECT_EQ(refused(with(good, "client", "edge-02")), "422 client_not_connected");
}

TEST_F(RulesApiTest, FeaturesOfLaterReleasesAreNamedNotFaked) {
  const Json good = rule_body(18080);
  Json list = good;
  list.erase("target_host");
  list.erase("target_port");
  list["targets"] = Json::array({{{"host", "10.0.0.1"}, {"port", 1}}});
  Json range = with(with(good, "listen_port_end", 18081), "target_port_end", 8444);
  const std::vector<std::pair<Json, std::string>> asked = {
      {list, "targets"},
      {range, "range"},
      {with(good, "protocol", "udp"), "udp"},
      {with(good, "sni_pattern", "a.example.com"), "sni_pattern"},
      {with(good, "rate_limit", Json::object()), "rate_limit"},
      {with(good, "target_host", "target.example.com"), "DNS"}};
  for (const auto& [body, feature] : asked) {
    const Response response = post("/v1/rules", body);
    EXPECT_EQ(refusal(response), "501 not_available") << body;
    EXPECT_TRUE(message_of(response).starts_with("not_available: ")) << response.body;
    EXPECT_NE(message_of(response).find(feature), std::string::npos) << response.body;
  }
  EXPECT_EQ(get("/v1/rules").body, "[]");
}

TEST_F(RulesApiTest, APortTwiceIsInUse) {
  push(18080);
  const Response again = post("/v1/rules", rule_body(18080));
  EXPECT_EQ(refusal(again), "409 port_in_use");
  EXPECT_EQ(message_of(again), "port_in_use: port 18080 already in use");
}

TEST_F(RulesApiTest, WhatTheEdgeRefusesIsStoredAsFailed) {
  edges_->answer = FakeEdges::Answer{rules::Outcome::failed, "port_in_use"};
  const Response failed = post("/v1/rules", rule_body(18080));
  EXPECT_EQ(refusal(failed), "422 activation_failed");
  EXPECT_EQ(message_of(failed), "activation_failed: port_in_use");
  const Json rule = json(get("/v1/rules"))[0];
  EXPECT_EQ(rule["state"], (Json{{"kind", "failed"}, {"reason", "port_in_use"}}));
}

TEST_F(RulesApiTest, ASilentEdgeIsATimeoutAndTheRuleStaysPending) {
  edges_->answer.reset();
  const Response late = post("/v1/rules", with(rule_body(18080), "ack_timeout_secs", 0));
  EXPECT_EQ(refusal(late), "504 ack_timeout");
  EXPECT_EQ(json(get("/v1/rules"))[0]["state"]["kind"], "pending");
}

TEST_F(RulesApiTest, AVanishedStreamStoresNothing) {
  edges_->accepts = false;
  EXPECT_EQ(refused(rule_body(18080)), "422 client_not_connected");
  EXPECT_EQ(get("/v1/rules").body, "[]");
}

TEST_F(RulesApiTest, DeletingTellsTheEdge) {
  const std::uint64_t id = push(18080);
  EXPECT_EQ(remove(id).status, 204U);
  EXPECT_EQ(edges_->removed, std::vector<std::uint64_t>{id});
  EXPECT_EQ(refusal(remove(id)), "404 rule_not_found");
  for (const char* bad : {"x", "-1", "1.5", "18446744073709551616", "%20"}) {
    EXPECT_EQ(refusal(send({.method = "DELETE", .target = std::string("/v1/rules/") + bad})),
              "400 invalid_path")
        << bad;
  }
}

TEST_F(RulesApiTest, OthersRulesAreNotTheCallers) {
  const std::uint64_t id = push(18080);
  report(id, 1, 2, 3);
  const std::string alice = add_user("alice", store::Role::user);
  const std::string path = "/v1/rules/" + std::to_string(id);
  EXPECT_EQ(refusal(send({.method = "DELETE", .target = path, .token = alice})), "403 not_owner");
  EXPECT_EQ(refusal(send({.target = path + "/stats", .token = alice})), "403 not_owner");
  EXPECT_EQ(
      refusal(send(
          {.method = "POST", .target = "/v1/rules", .body = rule_body(1).dump(), .token = alice})),
      "403 client_not_granted");
}

TEST_F(RulesApiTest, StatsAreTheLatestReport) {
  const std::uint64_t id = push(18080);
  const std::string path = "/v1/rules/" + std::to_string(id) + "/stats";
  EXPECT_EQ(refusal(get(path)), "404 rule_not_found");
  report(id, 10, 20, 3);
  Json stats = json(get(path));
  EXPECT_TRUE(stats["updated_at"].get<std::string>().ends_with("Z"));
  stats.erase("updated_at");
  const Json expected = {{"rule_id", id},
                         {"client_name", "edge-01"},
                         {"protocol", "tcp"},
                         {"bytes_in", 10},
                         {"bytes_out", 20},
                         {"active_connections", 3},
                         {"dns_failures", 0},
                         {"datagrams_in", 0},
                         {"datagrams_out", 0},
                         {"active_flows", 0},
                         {"flows_dropped_overflow", 0},
                         {"target_failovers_total", 0}};
  EXPECT_EQ(stats, expected);
  EXPECT_EQ(json(get(path + "?per_target=true"))["per_target"], Json::array());
  EXPECT_FALSE(json(get(path + "?per_port=yes")).contains("per_port"));
  EXPECT_FALSE(json(get(path + "?per_target=on")).contains("per_target"));
  EXPECT_EQ(refusal(get(path + "?a=%")), "400 invalid_query");
  EXPECT_EQ(refusal(get("/v1/rules/x/stats?a=%")), "400 invalid_path");
  EXPECT_EQ(refusal(get("/v1/rules/999/stats")), "404 rule_not_found");
}

TEST_F(RulesApiTest, MetricsFollowRulesAndReports) {
  const std::uint64_t id = push(18080);
  const std::string labels =
      "{client=\"edge-01\",owner=\"_superadmin\",rule=\"" + std::to_string(id) + "\"} ";
  const auto metrics = [&] { return get("/v1/metrics").body; };
  EXPECT_EQ(get("/v1/metrics").header("content-type"), metrics::kContentType);
  EXPECT_NE(metrics().find("portunus_clients_connected{client=\"edge-01\"} 1\n"),
            std::string::npos);
  EXPECT_EQ(metrics().find("portunus_rule_"), std::string::npos);
  report(id, 10, 0, 3);
  EXPECT_NE(metrics().find("portunus_rule_active_connections" + labels + "3\n"), std::string::npos)
      << metrics();
  EXPECT_NE(metrics().find("portunus_rule_bytes_in_total" + labels + "10\n"), std::string::npos);
  EXPECT_EQ(metrics().find("portunus_rule_bytes_out_total"), std::string::npos);
  remove(id);
  EXPECT_EQ(metrics().find("active_connections"), std::string::npos);
  EXPECT_NE(metrics().find("portunus_rule_bytes_in_total" + labels + "10\n"), std::string::npos);
}

}  // namespace
}  // namespace portunus::server::http::api
