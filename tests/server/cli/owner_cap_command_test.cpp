#include <nlohmann/json.hpp>

#include "tests/server/cli/cli_fixture.hpp"
#include "tests/server/support/http_stub.hpp"

namespace portunus::server::cli {
namespace {

using nlohmann::json;
using testing::HttpStub;

class OwnerCapCommandTest : public CliTest {
 protected:
  Ran against(HttpStub& stub, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "owner-cap");
    arguments.insert(arguments.end(), {"--http-endpoint", stub.endpoint()});
    return run(std::move(arguments));
  }
};

std::string first_line(const HttpStub& stub) {
  const std::string request = stub.requests().at(0);
  return request.substr(0, request.find("\r\n"));
}

constexpr const char* kCaps =
    R"({"client_id":"01J00000000000000000000001","client_name":"edge-01","owner_id":"alice",
        "rate_limit":{"bandwidth_out_bps":18446744073709551615,"concurrent_connections":7},
        "updated_at_unix_ms":1700000000000})";

TEST_F(OwnerCapCommandTest, CLI_2_6_list_shows_who_is_capped) {
  constexpr const char* kOwners =
      R"([{"owner_id":"alice","has_rate_limit":true,"rule_count":2},
          {"owner_id":"bob","has_rate_limit":false,"rule_count":10}])";
  HttpStub stub(HttpStub::json("200 OK", kOwners));
  expect(against(stub, {"list", "edge-01"}), 0,
         "OWNER                    RULES    CAP STATUS\n"
         "alice                    2        capped    \n"
         "bob                      10       uncapped  \n",
         "");
  EXPECT_EQ(first_line(stub), "GET /v1/clients/edge-01/owners HTTP/1.1");

  HttpStub again(HttpStub::json("200 OK", kOwners));
  const Ran ran = against(again, {"list", "edge-01", "--format", "json"});
  EXPECT_EQ(ran.exit, 0);
  EXPECT_EQ(json::parse(ran.out), json({{"owners", json::parse(kOwners)}}));
}

TEST_F(OwnerCapCommandTest, CLI_2_6_get_shows_every_cap_or_a_dash) {
  HttpStub stub(HttpStub::json("200 OK", kCaps));
  expect(against(stub, {"get", "edge-01", "alice"}), 0,
         "client     edge-01\n"
         "owner      alice\n"
         "updated_ms 1700000000000\n"
         "ingress_bps        -\n"
         "egress_bps         18446744073709551615\n"
         "new_conn_per_sec   -\n"
         "concurrent_max     7\n"
         "ingress_burst      -\n"
         "egress_burst       -\n"
         "new_conn_burst     -\n",
         "");
  EXPECT_EQ(first_line(stub), "GET /v1/clients/edge-01/owners/alice/rate-limit HTTP/1.1");

  HttpStub again(HttpStub::json("200 OK", kCaps));
  const Ran ran = against(again, {"get", "edge-01", "alice", "--format=json"});
  json expected = json::parse(kCaps);
  expected.erase("client_id");
  EXPECT_EQ(json::parse(ran.out), expected);
  EXPECT_TRUE(ran.out.starts_with("{\n  \"")) << ran.out;
}

TEST_F(OwnerCapCommandTest, CLI_2_4_set_sends_the_caps_and_says_when) {
  HttpStub stub(HttpStub::json("200 OK", kCaps));
  const Ran ran = against(
      stub, {"set", "edge-01", "alice", "--bandwidth-in-bps", "1", "--bandwidth-out-bps", "2",
             "--bandwidth-in-burst", "3", "--bandwidth-out-burst", "4", "--new-connections-per-sec",
             "5", "--concurrent-connections", "6", "--new-connections-burst", "7"});
  expect(ran, 0, "owner-cap set client=edge-01 owner=alice updated_at_unix_ms=1700000000000\n", "");
  const std::string request = stub.requests().at(0);
  EXPECT_TRUE(request.starts_with("PUT /v1/clients/edge-01/owners/alice/rate-limit HTTP/1.1\r\n"))
      << request;
  EXPECT_EQ(json::parse(request.substr(request.find("\r\n\r\n"))),
            json::parse(R"({"bandwidth_in_bps":1,"bandwidth_out_bps":2,"bandwidth_in_burst":3,
                "bandwidth_out_burst":4,"new_connections_per_sec":5,"concurrent_connections":6,
                "new_connections_burst":7})"));
}

TEST_F(OwnerCapCommandTest, CLI_2_4_set_without_a_cap_touches_no_network) {
  const Ran ran = run({"owner-cap", "set", "edge-01", "alice", "--http-endpoint", "127.0.0.1:1"});
  EXPECT_EQ(ran.exit, 3);
  EXPECT_EQ(ran.out, "");
  EXPECT_TRUE(ran.err.starts_with("error: validation.rate_limit_no_caps_provided (")) << ran.err;
}

TEST_F(OwnerCapCommandTest, CLI_2_4_delete_says_so) {
  HttpStub stub(HttpStub::json("204 No Content", ""));
  expect(against(stub, {"delete", "edge-01", "alice"}), 0,
         "owner-cap deleted client=edge-01 owner=alice\n", "");
  EXPECT_EQ(first_line(stub), "DELETE /v1/clients/edge-01/owners/alice/rate-limit HTTP/1.1");
}

TEST_F(OwnerCapCommandTest, names_in_the_path_are_encoded) {
  HttpStub stub(HttpStub::json("204 No Content", ""));
  EXPECT_EQ(against(stub, {"delete", "a/b", "c d"}).exit, 0);
  EXPECT_EQ(first_line(stub), "DELETE /v1/clients/a%2Fb/owners/c%20d/rate-limit HTTP/1.1");
}

TEST_F(OwnerCapCommandTest, CLI_2_4_an_empty_client_is_refused_before_the_network) {
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"list", ""},
                                             {"get", "", "alice"},
                                             {"set", "", "alice", "--bandwidth-in-bps", "1"},
                                             {"delete", "", "alice"}}) {
    HttpStub stub(HttpStub::json("200 OK", "[]"));
    expect(against(stub, words), 3, "", "error: invalid_name (\"\")\n");
    EXPECT_EQ(stub.requests().size(), 0U) << words.front();
  }
}

TEST_F(OwnerCapCommandTest, CLI_2_5_exits_by_code) {
  const std::vector<std::pair<std::string, int>> cases = {
      {"owner_rate_limit_not_found", 8},
      {"rate_limit_unsupported_by_client", 3},
      {"validation.rate_limit_cap_zero", 3},
      {"validation.client_name_invalid", 3},
      {"client_not_found", 1},
      {"role_required", 1},
      {"unauthenticated", 1},
  };
  for (const auto& [code, exit] : cases) {
    HttpStub stub(HttpStub::json("400 Bad Request",
                                 R"({"error":{"code":")" + code + R"(","message":"why"}})"));
    expect(against(stub, {"get", "edge-01", "alice"}), exit, "", "error: " + code + " (why)\n");
  }
}

TEST_F(OwnerCapCommandTest, CLI_2_1_an_answer_without_use_is_told_of) {
  for (const char* body : {"[]", R"({"client_name":"e","owner_id":"a","updated_at_unix_ms":1})",
                           R"({"client_name":"e","owner_id":"a","updated_at_unix_ms":1,
                               "rate_limit":{"bandwidth_in_bps":"x"}})"}) {
    HttpStub stub(HttpStub::json("200 OK", body));
    const Ran ran = against(stub, {"get", "edge-01", "alice"});
    EXPECT_EQ(ran.exit, 1);
    EXPECT_EQ(ran.out, "");
    EXPECT_TRUE(ran.err.starts_with("error: parse response: ")) << ran.err;
  }
}

TEST_F(OwnerCapCommandTest, CLI_1_help_names_the_commands_of_the_group) {
  for (const auto& line : {std::vector<std::string>{"owner-cap", "--help"},
                           std::vector<std::string>{"help", "owner-cap"}}) {
    const Ran ran = run(line);
    EXPECT_EQ(ran.exit, 0);
    for (const char* word : {"list", "get", "set", "delete"}) {
      EXPECT_NE(ran.out.find(word), std::string::npos) << ran.out;
    }
  }
  const Ran leaf = run({"owner-cap", "set", "--help"});
  EXPECT_NE(leaf.out.find("portunus-server owner-cap set"), std::string::npos) << leaf.out;
  EXPECT_NE(leaf.out.find("--bandwidth-in-bps"), std::string::npos) << leaf.out;
}

TEST_F(OwnerCapCommandTest, CLI_1_usage_errors_are_exit_2) {
  const Ran alone = run({"owner-cap"});
  EXPECT_EQ(alone.exit, 2);
  EXPECT_EQ(alone.out, "");
  EXPECT_NE(alone.err.find("delete"), std::string::npos) << alone.err;
  EXPECT_EQ(run({"owner-cap", "nonsense"}).exit, 2);
  EXPECT_EQ(run({"owner-cap", "get", "edge-01"}).exit, 2);
  EXPECT_EQ(run({"owner-cap", "set", "edge-01", "alice", "--bandwidth-in-bps", "-1"}).exit, 2);
  const Ran number = run({"owner-cap", "set", "e", "a", "--concurrent-connections", "4294967296"});
  EXPECT_EQ(number.exit, 2);
  EXPECT_NE(number.err.find("Try 'portunus-server owner-cap set --help'."), std::string::npos)
      << number.err;
}

}  // namespace
}  // namespace portunus::server::cli
