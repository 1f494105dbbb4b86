#include <gtest/gtest.h>

#include "server/metrics/exposition.hpp"
#include "tests/server/api/api_fixture.hpp"
#include "tests/support/counters.hpp"

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

TEST_F(RulesApiTest, HTTP_1_a_filter_is_refused_in_the_words_of_a_push) {
  for (const char* client : {"Bad", "01HZZZZZZZZZZZZZZZZZZZZZZZ"}) {
    const Response listed = get(std::string("/v1/rules?client=") + client);
    const Response pushed = post("/v1/rules", rule_body(18080, client));
    EXPECT_EQ(listed.status, pushed.status) << client;
    EXPECT_EQ(listed.body, pushed.body) << client;
  }
  EXPECT_EQ(message_of(get("/v1/rules?client=Edge")), "invalid_name: Edge");
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

TEST_F(RulesApiTest, HTTP_8_8_AListRuleInFull) {
  Json body = list_body(443);
  body["sni_pattern"] = " *.Example.com ";
  body["prefer_ipv6"] = true;
  body["health_check_interval_secs"] = 10;
  body["rate_limit"] = {{"bandwidth_in_bps", 1'048'576}, {"new_connections_burst", nullptr}};
  const Response pushed = post("/v1/rules", body);
  ASSERT_EQ(pushed.status, 201U) << pushed.body;
  const std::uint64_t id = json(pushed)["rule_id"];
  EXPECT_EQ(json(pushed), (Json{{"rule_id", id},
                                {"status", "Active"},
                                {"target_host", "a.example"},
                                {"prefer_ipv6", true},
                                {"protocol", "tcp"},
                                {"owner", "_superadmin"},
                                {"sni_pattern", "*.example.com"},
                                {"rate_limit", {{"bandwidth_in_bps", 1'048'576}}}}));
  Json rule = json(get("/v1/rules"))[0];
  rule.erase("created_at");
  rule.erase("last_state_change_at");
  EXPECT_EQ(rule, Json::parse(R"({"id":)" + std::to_string(id) + R"(,"client_id":")" + id_ +
                              R"(","client_name":"edge-01","listen_port":443,
      "target_host":"a.example","target_port":443,"prefer_ipv6":true,"protocol":"tcp",
      "state":{"kind":"active"},"owner_user_id":"_superadmin",
      "targets":[{"host":"a.example","port":443,"priority":0,"proxy_protocol":"v2","health":null},
                 {"host":"b.example","port":444,"priority":9,"proxy_protocol":null,"health":null}],
      "health_check_interval_secs":10,"sni_pattern":"*.example.com",
      "rate_limit":{"bandwidth_in_bps":1048576}})"));
}

TEST_F(RulesApiTest, HTTP_8_8_ARangeShowsBothEnds) {
  Json body = rule_body(30'000);
  body["protocol"] = "UDP";
  body["listen_port_end"] = 30'010;
  body["target_port_end"] = 8453;
  push(body);
  const Json rule = json(get("/v1/rules"))[0];
  EXPECT_EQ(rule["listen_port_end"], 30'010);
  EXPECT_EQ(rule["target_port_end"], 8453);
  EXPECT_EQ(rule["protocol"], "udp");
  EXPECT_EQ(rule["targets"].size(), 1U);
}

TEST_F(RulesApiTest, HTTP_8_8_HealthIsShownOnceAReportCoversTheRow) {
  const std::uint64_t id = push(list_body(443));
  model::RuleTraffic traffic;
  traffic.rule = RuleId{id};
  traffic.targets = {{.index = 1,
                      .host = "b.example",
                      .health = 1,
                      .consecutive_failures = 3,
                      .last_failure_unix_ms = 1'715'292'000'000,
                      .last_success_unix_ms = 5}};
  rules_->on_report(id_, "edge-01", {{traffic}, {}, {}});
  const Json targets = json(get("/v1/rules"))[0]["targets"];
  EXPECT_EQ(targets[0]["health"], nullptr);
  EXPECT_EQ(targets[1]["health"], (Json{{"healthy", false},
                                        {"consecutive_failures", 3},
                                        {"last_failure_at_unix_ms", 1'715'292'000'000},
                                        {"last_success_at_unix_ms", 5}}));
}

TEST_F(RulesApiTest, HTTP_8_8_a_long_list_is_whole_and_ascending) {
  constexpr std::uint64_t kRules = 150;  // more than are written at a time
  for (std::uint64_t i = 0; i < kRules; ++i) push(20'000 + static_cast<int>(i));
  const Json all = json(get("/v1/rules"));
  ASSERT_EQ(all.size(), kRules);
  for (std::size_t i = 1; i < all.size(); ++i) EXPECT_LT(all[i - 1]["id"], all[i]["id"]);
  EXPECT_EQ(json(get("/v1/rules?client=edge-01")), all);
  EXPECT_EQ(get("/v1/rules?owner=nobody").body, "[]");
}

TEST_F(RulesApiTest, HTTP_8_2_ChecksOfEveryShape) {
  const Json good = rule_body(18080);
  const Json list = list_body(18080);
  EXPECT_EQ(refused(with(good, "rate_limit", Json::object())),
            "400 validation.rate_limit_on_legacy_shape");
  EXPECT_EQ(refused(with(list, "target_port", 1)), "400 rule_shape_conflict");
  EXPECT_EQ(refused(with(list, "targets", Json::array())), "400 targets_empty");
  EXPECT_EQ(refused(with(list, "targets", {{{"host", "a"}, {"port", 1}, {"priority", 100}}})),
            "422 activation_failed");
  EXPECT_EQ(refused(with(list, "targets", {{{"port", 1}}})), "422 invalid_body");
  EXPECT_EQ(refused(with(list, "listen_port_end", 18081)), "400 range_invalid");
  Json longer = with(with(good, "listen_port_end", 18081), "target_port_end", 8445);
  EXPECT_EQ(refused(longer), "400 range_invalid");
  EXPECT_EQ(
      refused(with(with(good, "listen_port_end", 18080 + 1024), "target_port_end", 8443 + 1024)),
      "400 exceeds_cap");
  EXPECT_EQ(get("/v1/rules").body, "[]");
}

TEST_F(RulesApiTest, HTTP_8_6_PutChangesTheCaps) {
  const std::uint64_t id = push(list_body(443));
  const std::string path = "/v1/rules/" + std::to_string(id);
  const auto put = [&](const Json& body) {
    return send({.method = "PUT", .target = path, .body = body.dump()});
  };
  const Json caps = {{"concurrent_connections", 5}};
  const Response changed = put(with(list_body(443), "rate_limit", caps));
  ASSERT_EQ(changed.status, 200U) << changed.body;
  EXPECT_EQ(json(changed)["rule_id"], id);
  EXPECT_EQ(json(changed)["status"], "Active");
  EXPECT_EQ(json(changed)["rate_limit"], caps);
  EXPECT_EQ(edges_->pushed.back().id, RuleId{id});
  EXPECT_EQ(edges_->pushed.back().rate_limit->concurrent_connections, 5U);
  EXPECT_EQ(json(get("/v1/rules"))[0]["rate_limit"], caps);

  edges_->answer = FakeEdges::Answer{rules::Outcome::failed, "bind_failed"};
  const Response failed = put(list_body(443));
  ASSERT_EQ(failed.status, 200U) << failed.body;
  EXPECT_EQ(json(failed)["status"], "Failed:bind_failed");
  EXPECT_FALSE(json(failed).contains("rate_limit"));
  EXPECT_FALSE(json(get("/v1/rules"))[0].contains("rate_limit"));

  EXPECT_EQ(refusal(put(list_body(444))), "400 validation.rule_update_shape_mismatch");
  EXPECT_EQ(refusal(put({{"client", "edge-01"}})), "422 invalid_body");
  EXPECT_EQ(refusal(send({.method = "PUT", .target = path})), "415 unsupported_media_type");
  EXPECT_EQ(refusal(send({.method = "PUT", .target = "/v1/rules/x", .body = "no json"})),
            "400 invalid_path");
  EXPECT_EQ(refusal(send({.method = "PUT", .target = "/v1/rules/99", .body = "no json"})),
            "400 invalid_json");
  EXPECT_EQ(
      refusal(send({.method = "PUT", .target = "/v1/rules/99", .body = list_body(443).dump()})),
      "404 rule_not_found");
  const std::string alice = add_user("alice", store::Role::user);
  EXPECT_EQ(
      refusal(send({.method = "PUT", .target = path, .body = rule_body(0).dump(), .token = alice})),
      "403 not_owner");
  edges_->names.clear();
  EXPECT_EQ(refusal(put(list_body(443))), "422 client_not_connected");
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

TEST_F(RulesApiTest, HTTP_9_1_StatsInFull) {
  Json range = rule_body(30'000);
  range["listen_port_end"] = 30'001;
  range["target_port_end"] = 8444;
  const std::uint64_t ports = push(range);
  const std::uint64_t list = push(list_body(443));
  model::RuleTraffic first;
  first.rule = RuleId{ports};
  first.dns_failures = 1;
  first.datagrams_in = 2;
  first.datagrams_out = 3;
  first.active_flows = 4;
  first.flows_dropped_overflow = 5;
  first.target_failovers = 6;
  first.ports = {{30'001, 1, 2, 3, 4, 5}, {30'000, 6, 7, 8, 9, 10}};
  model::RuleTraffic second;
  second.rule = RuleId{list};
  second.targets = {{0, "a.example", 443, 0, 0, 0, 11, 12, 13, 14, 15},
                    {1, "b.example", 444, 9, 1, 2, 0, 0, 0, 0, 0}};
  rules_->on_report(id_, "edge-01", {{first, second}, {}, {}});

  const auto stats = [&](std::uint64_t id, const char* query) {
    return json(get("/v1/rules/" + std::to_string(id) + "/stats" + query));
  };
  Json counts = stats(ports, "");
  EXPECT_EQ(counts["dns_failures"], 1);
  EXPECT_EQ(counts["datagrams_in"], 2);
  EXPECT_EQ(counts["datagrams_out"], 3);
  EXPECT_EQ(counts["active_flows"], 4);
  EXPECT_EQ(counts["flows_dropped_overflow"], 5);
  EXPECT_EQ(counts["target_failovers_total"], 6);
  EXPECT_FALSE(counts.contains("per_port"));
  EXPECT_FALSE(counts.contains("per_target"));

  Json per_port = stats(ports, "?per_port=1&per_target=1");
  EXPECT_EQ(per_port["per_target"], Json::array());
  for (Json& row : per_port["per_port"]) {
    EXPECT_EQ(row["updated_at"], per_port["updated_at"]);
    row.erase("updated_at");
  }
  EXPECT_EQ(per_port["per_port"], Json::parse(R"([
      {"listen_port":30000,"bytes_in":6,"bytes_out":7,"active_connections":8,
       "datagrams_in":9,"datagrams_out":10},
      {"listen_port":30001,"bytes_in":1,"bytes_out":2,"active_connections":3,
       "datagrams_in":4,"datagrams_out":5}])"));
  EXPECT_FALSE(stats(list, "?per_port=true").contains("per_port"));
  EXPECT_EQ(stats(list, "?per_target=true")["per_target"], Json::parse(R"([
      {"index":0,"host":"a.example","port":443,"priority":0,"health":0,"consecutive_failures":0,
       "last_failure_at_unix_ms":11,"last_success_at_unix_ms":12,"bytes_in":13,"bytes_out":14,
       "connections_accepted":15},
      {"index":1,"host":"b.example","port":444,"priority":9,"health":1,"consecutive_failures":2,
       "last_failure_at_unix_ms":0,"last_success_at_unix_ms":0,"bytes_in":0,"bytes_out":0,
       "connections_accepted":0}])"));
}

TEST_F(RulesApiTest, AListOfOneHasNoPerTargetState) {
  Json body = list_body(443);
  body["targets"].erase(1);
  const std::uint64_t id = push(body);
  model::RuleTraffic traffic;  // as 1.8 clients report it
  traffic.rule = RuleId{id};
  traffic.targets = {{.index = 0, .host = "a.example", .port = 443}};
  rules_->on_report(id_, "edge-01", {{traffic}, {}, {}});
  EXPECT_EQ(json(get("/v1/rules/" + std::to_string(id) + "/stats?per_target=1"))["per_target"],
            Json::array());
  EXPECT_EQ(json(get("/v1/rules"))[0]["targets"][0]["health"]["healthy"], true);
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

TEST_F(RulesApiTest, OBS_8_AllRuleFamiliesAppearAndDisappear) {
  Json sni = list_body(443);
  sni["sni_pattern"] = "a.b";
  sni["rate_limit"] = {{"concurrent_connections", 5}};
  const std::uint64_t id = push(sni);
  const auto metrics = [&] { return get("/v1/metrics").body; };
  EXPECT_NE(metrics().find("portunus_tls_sni_routes_active 1\n"), std::string::npos);
  auto traffic = test::filled<model::RuleTraffic>(7);
  traffic.rule = RuleId{id};
  auto port = test::filled<model::SniPortTraffic>(1);
  port.listen_port = 443;
  rules_->on_report(id_, "edge-01", {{traffic}, {port}, {}});
  const std::string shown = metrics();
  for (const char* family :
       {"portunus_rule_active_connections", "portunus_rule_active_flows",
        "portunus_rule_bytes_in_total", "portunus_rule_bytes_out_total",
        "portunus_rule_dns_failures_total", "portunus_rule_udp_datagrams_in_total",
        "portunus_rule_udp_datagrams_out_total", "portunus_rule_flows_dropped_overflow_total",
        "portunus_rule_target_failovers_total", "portunus_tls_sni_route_total",
        "portunus_rate_limit_reject_total", "portunus_rate_limit_throttle_seconds_total",
        "portunus_rate_limit_active_connections"}) {
    EXPECT_NE(shown.find(std::string(family) + "{client=\"edge-01\""), std::string::npos) << family;
  }
  const std::string of_port = "{client=\"edge-01\",port=\"443\"";
  EXPECT_NE(shown.find("portunus_tls_sni_listener_miss_total" + of_port), std::string::npos);
  remove(id);
  const std::string after = metrics();
  std::size_t rows = 0;
  const std::string label = "rule=\"" + std::to_string(id) + "\"";
  for (std::size_t at = 0; (at = after.find(label, at)) != std::string::npos; ++at) ++rows;
  EXPECT_EQ(rows, 2U) << after;  // the two byte counters
  EXPECT_NE(after.find("portunus_tls_sni_routes_active 0\n"), std::string::npos);
  EXPECT_NE(after.find("portunus_tls_sni_listener_miss_total" + of_port), std::string::npos);
}

}  // namespace
}  // namespace portunus::server::http::api
