#include <nlohmann/json.hpp>

#include "tests/server/cli/cli_fixture.hpp"
#include "tests/server/support/http_stub.hpp"

namespace portunus::server::cli {
namespace {

using nlohmann::json;
using testing::DeafPort;
using testing::HttpStub;
using namespace std::chrono_literals;

class RuleCommandTest : public CliTest {
 protected:
  Ran against(HttpStub& stub, std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--http-endpoint", stub.endpoint()});
    return run(std::move(arguments));
  }
  Ran push(HttpStub& stub) { return against(stub, {"push-rule", "edge", "8080", "10.0.0.1:80"}); }
};

std::string first_line(const HttpStub& stub) {
  const std::string request = stub.requests().at(0);
  return request.substr(0, request.find("\r\n"));
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST_F(RuleCommandTest, PushSendsTheBodyAndPrintsTheId) {
  variables_["PORTUNUS_OPERATOR_TOKEN"] = "tok";
  HttpStub stub(HttpStub::json("201 Created", R"({"rule_id":18446744073709551615})"));
  expect(push(stub), 0, "18446744073709551615\n", "");
  const std::string request = stub.requests().at(0);
  EXPECT_TRUE(request.starts_with("POST /v1/rules HTTP/1.1\r\n")) << request;
  EXPECT_TRUE(has(request, "Host: " + stub.endpoint() + "\r\n")) << request;
  EXPECT_TRUE(has(request, "Authorization: Bearer tok\r\n")) << request;
  EXPECT_TRUE(has(request, "Content-Type: application/json\r\n")) << request;
  EXPECT_EQ(json::parse(request.substr(request.find("\r\n\r\n"))),
            json::parse(R"({"client":"edge","listen_port":8080,"protocol":"tcp",
                "ack_timeout_secs":2,"target_host":"10.0.0.1","target_port":80})"));
}

TEST_F(RuleCommandTest, EveryFlagOfAPushReachesTheBody) {
  HttpStub stub(HttpStub::json("201 Created", R"({"rule_id":1})"));
  const Ran ran = against(stub, {"push-rule",
                                 "edge",
                                 "--target",
                                 "a:1",
                                 "80",
                                 "--target=b:2@9",
                                 "--protocol",
                                 "TCP",
                                 "--ack-timeout",
                                 "3",
                                 "--prefer-ipv6",
                                 "--health-check-interval-secs",
                                 "5",
                                 "--sni",
                                 "x.example",
                                 "--bandwidth-in-bps",
                                 "1",
                                 "--bandwidth-out-bps",
                                 "2",
                                 "--bandwidth-in-burst",
                                 "3",
                                 "--bandwidth-out-burst",
                                 "4",
                                 "--new-connections-per-sec",
                                 "5",
                                 "--concurrent-connections",
                                 "6",
                                 "--new-connections-burst",
                                 "7"});
  expect(ran, 0, "1\n", "");
  const std::string request = stub.requests().at(0);
  EXPECT_EQ(json::parse(request.substr(request.find("\r\n\r\n"))), json::parse(R"({
      "client":"edge","listen_port":80,"protocol":"TCP","ack_timeout_secs":3,"prefer_ipv6":true,
      "targets":[{"host":"a","port":1,"priority":0},{"host":"b","port":2,"priority":9}],
      "health_check_interval_secs":5,"sni_pattern":"x.example","rate_limit":{
      "bandwidth_in_bps":1,"bandwidth_out_bps":2,"bandwidth_in_burst":3,"bandwidth_out_burst":4,
      "new_connections_per_sec":5,"concurrent_connections":6,"new_connections_burst":7}})"));
}

TEST_F(RuleCommandTest, LocalChecksComeBeforeAnyNetwork) {
  HttpStub stub(HttpStub::json("201 Created", R"({"rule_id":1})"));
  expect(against(stub, {"push-rule", "edge", "0", "h:1"}), 3, "", "error: invalid_target: 0\n");
  expect(against(stub, {"push-rule", "edge", "80"}), 3, "",
         "error: rule_shape_missing (give <host:port>, --target or --targets-json)\n");
  EXPECT_EQ(
      against(stub, {"push-rule", "edge", "80", "h:1", "--sni", "a.b", "--protocol", "udp"}).exit,
      2);
  EXPECT_TRUE(stub.requests().empty());
}

TEST_F(RuleCommandTest, WithoutATokenTheRequestIsSentWithoutAuthorization) {
  for (const bool empty : {false, true}) {
    if (empty) variables_["PORTUNUS_OPERATOR_TOKEN"] = "";
    HttpStub stub(HttpStub::fault("401 Unauthorized", "unauthenticated", "no credentials"));
    expect(push(stub), 1, "", "error: unauthenticated (no credentials)\n");
    EXPECT_FALSE(has(stub.requests().at(0), "Authorization")) << stub.requests().at(0);
  }
}

TEST_F(RuleCommandTest, ATokenThatNoHeaderCanCarryIsRefusedLocally) {
  variables_["PORTUNUS_OPERATOR_TOKEN"] = "a\r\nEvil: 1";
  HttpStub stub(HttpStub::json("200 OK", "[]"));
  const Ran ran = against(stub, {"list-rules"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_TRUE(ran.err.starts_with("error: http: PORTUNUS_OPERATOR_TOKEN")) << ran.err;
  EXPECT_FALSE(has(ran.err, "Evil"));
  EXPECT_TRUE(stub.requests().empty());
}

TEST_F(RuleCommandTest, ErrorCodesDecideTheExit) {
  const std::pair<const char*, int> codes[] = {{"client_not_connected", 4}, {"port_in_use", 5},
                                               {"activation_failed", 6},    {"ack_timeout", 7},
                                               {"rule_not_found", 8},       {"exceeds_cap", 3},
                                               {"role_required", 1},        {"not_available", 1}};
  for (const auto& [code, exit] : codes) {
    HttpStub stub(HttpStub::fault("422 Unprocessable Entity", code, std::string(code) + ": why"));
    const std::string line = "error: " + std::string(code) + " (" + code + ": why)\n";
    expect(push(stub), exit, "", line);
    expect(against(stub, {"remove-rule", "7"}), exit, "", line);
    expect(against(stub, {"list-rules"}), exit, "", line);
    expect(against(stub, {"rule-stats", "7"}), exit, "", line);
  }
}

TEST_F(RuleCommandTest, APortHeldOnTheEdgeLooksLikeOneHeldByARule) {
  const std::pair<const char*, const char*> reasons[] = {
      {"port_in_use", "8080"}, {"bind_failed:port_in_use", "8080"}, {"port_in_use:8085", "8085"}};
  for (const auto& [reason, port] : reasons) {
    HttpStub stub(HttpStub::fault("422 Unprocessable Entity", "activation_failed",
                                  "activation_failed: " + std::string(reason)));
    expect(push(stub), 5, "",
           "error: port_in_use (port_in_use: port " + std::string(port) + " already in use)\n");
  }
  HttpStub other(HttpStub::fault("422 Unprocessable Entity", "activation_failed",
                                 "activation_failed: permission_denied"));
  expect(push(other), 6, "", "error: activation_failed (activation_failed: permission_denied)\n");
}

TEST_F(RuleCommandTest, NobodyListens) {
  const DeafPort port;
  const std::string endpoint = port.endpoint();
  expect(run({"list-rules", "--http-endpoint", endpoint}), 1, "",
         "error: http: connect " + endpoint + ": Connection refused\n");
}

TEST_F(RuleCommandTest, ASilentServerTimesOut) {
  limits_.rule_total = 200ms;
  HttpStub stub("");
  const Ran ran = against(stub, {"list-rules"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_TRUE(ran.err.starts_with("error: http: ")) << ran.err;
  EXPECT_TRUE(ran.err.ends_with(": timed out after 200 ms\n")) << ran.err;
}

TEST_F(RuleCommandTest, AnAnswerCutShortIsATransportFailure) {
  HttpStub stub("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[");
  const Ran ran = against(stub, {"list-rules"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_TRUE(ran.err.starts_with("error: http: receive: ")) << ran.err;
  HttpStub noise("SSH-2.0-OpenSSH\r\n");
  EXPECT_TRUE(against(noise, {"list-rules"}).err.starts_with("error: http: receive: "));
}

TEST_F(RuleCommandTest, ErrorsWithoutAnEnvelope) {
  const std::pair<const char*, const char*> answers[] = {
      {"502 Bad Gateway", "<html>"},
      {"502 whatever", R"({"error":"text"})"},
      {"502 Bad Gateway", R"({"error":{"code":7,"message":"m"}})"},
      {"502 Bad Gateway", ""}};
  for (const auto& [status, body] : answers) {
    HttpStub stub(HttpStub::json(status, body));
    expect(push(stub), 1, "", "error: server returned 502 Bad Gateway\n");
  }
  HttpStub moved(HttpStub::json("302 Found", ""));
  expect(push(moved), 1, "", "error: server returned 302 Found\n");
}

TEST_F(RuleCommandTest, SuccessesWithAnUnusableBody) {
  for (const char* body : {"", "{", "[]", "{}", R"({"rule_id":"7"})", R"({"rule_id":-7})"}) {
    HttpStub stub(HttpStub::json("201 Created", body));
    const Ran ran = push(stub);
    EXPECT_EQ(ran.exit, 1) << body;
    EXPECT_EQ(ran.out, "");
    EXPECT_TRUE(ran.err.starts_with("error: parse response: ")) << ran.err;
  }
  HttpStub row(HttpStub::json("200 OK", R"([{"id":1}])"));
  expect(against(row, {"list-rules"}), 1, "",
         "error: parse response: missing field `client_name`\n");
}

TEST_F(RuleCommandTest, WhatAPeerSaysCannotForgeALine) {
  HttpStub stub(HttpStub::fault("404 Not Found", "rule_not_found", R"(a\nerror: b\u001b[2J)"));
  expect(push(stub), 8, "", "error: rule_not_found (a\\x0aerror: b\\x1b[2J)\n");
}

TEST_F(RuleCommandTest, RemovePrintsNothing) {
  HttpStub stub("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
  expect(against(stub, {"remove-rule", "7"}), 0, "", "");
  EXPECT_EQ(first_line(stub), "DELETE /v1/rules/7 HTTP/1.1");
}

TEST_F(RuleCommandTest, ListEncodesTheClientAndKeepsTheArray) {
  const std::string rules = R"([{"id":7,"zeta":1,"alpha":{"b":null}}])";
  HttpStub stub(HttpStub::json("200 OK", rules));
  expect(against(stub, {"list-rules", "--format", "json", "--client", "a b&c=ü"}), 0,
         "[\n  {\n    \"id\": 7,\n    \"zeta\": 1,\n    \"alpha\": {\n      \"b\": null\n    }\n"
         "  }\n]\n",
         "");
  EXPECT_EQ(first_line(stub), "GET /v1/rules?client=a%20b%26c%3D%C3%BC HTTP/1.1");
}

TEST_F(RuleCommandTest, StatsAskForTheDetailOfTheFlags) {
  const std::pair<std::vector<std::string>, const char*> lines[] = {
      {{"rule-stats", "7"}, "GET /v1/rules/7/stats HTTP/1.1"},
      {{"rule-stats", "7", "--per-port"}, "GET /v1/rules/7/stats?per_port=true HTTP/1.1"},
      {{"rule-stats", "--per-target", "7"}, "GET /v1/rules/7/stats?per_target=true HTTP/1.1"},
      {{"rule-stats", "7", "--per-port", "--per-target"},
       "GET /v1/rules/7/stats?per_port=true&per_target=true HTTP/1.1"}};
  for (const auto& [line, request] : lines) {
    HttpStub stub(HttpStub::fault("404 Not Found", "rule_not_found", "m"));
    EXPECT_EQ(against(stub, line).exit, 8);
    EXPECT_EQ(first_line(stub), request);
  }
}

}  // namespace
}  // namespace portunus::server::cli
