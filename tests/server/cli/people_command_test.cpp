#include <nlohmann/json.hpp>

#include "tests/server/cli/cli_fixture.hpp"
#include "tests/server/support/http_stub.hpp"

// user-*, credential-*, grant-* (cli-and-config 2.4 to 2.6).

namespace portunus::server::cli {
namespace {

using nlohmann::json;
using testing::HttpStub;

class PeopleCommandTest : public CliTest {
 protected:
  PeopleCommandTest() { variables_["PORTUNUS_OPERATOR_TOKEN"] = "operator-token"; }
  Ran against(HttpStub& stub, std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--http-endpoint", stub.endpoint()});
    return run(std::move(arguments));
  }
};

struct Case {
  std::vector<std::string> words;
  std::string line;  ///< of the request
  std::optional<json> body = std::nullopt;
};

std::vector<Case> answered() {
  const std::string id = "01J00000000000000000000001";
  return {
      {{"user-add", "alice", "--display-name", "Alice A."},
       "POST /v1/users",
       json{{"user_id", "alice"}, {"display_name", "Alice A."}, {"role", "user"}}},
      {{"user-add", "alice", "--display-name", "", "--role", "superadmin"},
       "POST /v1/users",
       json{{"user_id", "alice"}, {"display_name", ""}, {"role", "superadmin"}}},
      {{"user-list"}, "GET /v1/users"},
      {{"user-get", "a/b"}, "GET /v1/users/a%2Fb"},
      {{"user-remove", "alice"}, "DELETE /v1/users/alice"},
      {{"credential-issue", "alice"}, "POST /v1/users/alice/credentials", json::object()},
      {{"credential-issue", "alice", "--label", "laptop"},
       "POST /v1/users/alice/credentials",
       json{{"label", "laptop"}}},
      {{"credential-list", "alice"}, "GET /v1/users/alice/credentials"},
      {{"credential-rotate", "alice", id, "--label", "l"},
       "POST /v1/users/alice/credentials/" + id + "/rotate",
       json{{"label", "l"}}},
      {{"grant-add", "--user-id", "alice", "--client", "*", "--listen-port-start", "30000",
        "--listen-port-end", "30010"},
       "POST /v1/grants",
       json{{"user_id", "alice"},
            {"client", "*"},
            {"listen_port_start", 30000},
            {"listen_port_end", 30010},
            {"protocols", json::array({"tcp"})}}},
      {{"grant-add", "--user-id", "alice", "--client", "edge-01", "--listen-port-start", "1",
        "--listen-port-end", "2", "--protocols", "udp, tcp", "--note", "n"},
       "POST /v1/grants",
       json{{"user_id", "alice"},
            {"client", "edge-01"},
            {"listen_port_start", 1},
            {"listen_port_end", 2},
            {"protocols", json::array({"udp", "tcp"})},
            {"note", "n"}}},
      {{"grant-list"}, "GET /v1/grants"},
      {{"grant-list", "--user-id", "_superadmin"}, "GET /v1/grants?user_id=_superadmin"},
      {{"grant-revoke", id}, "DELETE /v1/grants/" + id},
  };
}

TEST_F(PeopleCommandTest, CLI_2_4_each_command_is_one_call_and_prints_its_answer) {
  for (const Case& one : answered()) {
    for (const char* format : {"", "text", "json"}) {
      HttpStub stub(HttpStub::json("200 OK", R"({"b":[1],"a":null})"));
      std::vector<std::string> words = one.words;
      if (*format != '\0') words.insert(words.end(), {"--format", format});
      expect(against(stub, words), 0, "{\n  \"b\": [\n    1\n  ],\n  \"a\": null\n}\n", "");
      const std::string request = stub.requests().at(0);
      EXPECT_TRUE(request.starts_with(one.line + " HTTP/1.1\r\n")) << request;
      EXPECT_TRUE(request.contains("Authorization: Bearer operator-token\r\n")) << request;
      if (one.body) {
        EXPECT_EQ(json::parse(request.substr(request.find("\r\n\r\n"))), *one.body);
      }
    }
  }
}

TEST_F(PeopleCommandTest, CLI_2_4_user_add_with_the_first_line_of_stdin) {
  const std::vector<std::string> words = {"user-add", "alice", "--display-name", "A",
                                          "--password-stdin"};
  for (const char* input : {"correct horse battery\r\nsecond\n", "correct horse battery"}) {
    stdin_ = input;
    HttpStub stub(HttpStub::json("201 Created", "{}"));
    expect(against(stub, words), 0, "{}\n", "");
    const std::string request = stub.requests().at(0);
    EXPECT_EQ(json::parse(request.substr(request.find("\r\n\r\n"))),
              (json{{"user_id", "alice"},
                    {"display_name", "A"},
                    {"role", "user"},
                    {"initial_password", "correct horse battery"}}));
  }
  // Without a line nothing is sent; without a token no line is read for.
  HttpStub idle(HttpStub::json("201 Created", "{}"));
  for (const char* input : {"", "correct horse \xff battery"}) {
    stdin_ = input;
    const Ran ran = against(idle, words);
    EXPECT_EQ(ran.exit, 1);
    EXPECT_EQ(ran.out, "");
    EXPECT_TRUE(ran.err.starts_with("error: read_password_stdin: ")) << ran.err;
  }
  variables_.clear();
  EXPECT_EQ(against(idle, words).exit, 4);
  EXPECT_TRUE(idle.requests().empty());
}

TEST_F(PeopleCommandTest, CLI_2_4_credential_revoke_prints_nothing) {
  HttpStub stub(HttpStub::json("204 No Content", ""));
  expect(against(stub, {"credential-revoke", "alice", "x"}), 0, "", "");
  EXPECT_TRUE(stub.requests().at(0).starts_with("DELETE /v1/users/alice/credentials/x HTTP/1.1"));
}

TEST_F(PeopleCommandTest, CLI_2_1_without_a_token_nothing_is_sent) {
  for (const char* token : {"unset", ""}) {
    variables_.clear();
    if (*token == '\0') variables_["PORTUNUS_OPERATOR_TOKEN"] = "";
    for (std::vector<std::string> words : {std::vector<std::string>{"user-list"},
                                           {"credential-revoke", "alice", "x"},
                                           {"grant-list"}}) {
      words.insert(words.end(), {"--http-endpoint", "127.0.0.1:1"});
      expect(run(words), 4, "",
             "error: unauthenticated (set PORTUNUS_OPERATOR_TOKEN env var with the operator bearer "
             "token)\n");
    }
  }
}

TEST_F(PeopleCommandTest, CLI_2_5_exits_by_code) {
  const std::vector<std::pair<std::string, int>> cases = {
      {"last_superadmin", 2}, {"reserved_user_id", 3},   {"user_disabled", 4},
      {"role_required", 5},   {"bootstrap_required", 6}, {"grant_not_found", 8},
      {"client_not_found", 1}};
  for (const auto& [code, exit] : cases) {
    HttpStub stub(HttpStub::fault("400 Bad Request", code, "why"));
    expect(against(stub, {"user-remove", "alice"}), exit, "", "error: " + code + " (why)\n");
  }
}

TEST_F(PeopleCommandTest, CLI_2_1_other_failures_are_exit_1) {
  HttpStub broken(HttpStub::json("200 OK", "{"));
  const Ran ran = against(broken, {"user-list"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_EQ(ran.out, "");
  EXPECT_TRUE(ran.err.starts_with("error: parse response: ")) << ran.err;
  HttpStub gateway(HttpStub::json("502 Bad Gateway", "x"));
  expect(against(gateway, {"grant-list"}), 1, "", "error: server returned 502 Bad Gateway\n");
  const testing::DeafPort deaf;
  const Ran refused = run({"user-list", "--http-endpoint", deaf.endpoint()});
  EXPECT_EQ(refused.exit, 1);
  EXPECT_TRUE(refused.err.starts_with("error: http: ")) << refused.err;
}

TEST_F(PeopleCommandTest, CLI_1_usage_errors_are_exit_2) {
  const std::vector<std::vector<std::string>> lines = {
      {"user-add", "alice"},
      {"user-get"},
      {"credential-issue"},
      {"credential-revoke", "alice", "x", "--format", "json"},
      {"grant-add", "--user-id", "a", "--client", "*", "--listen-port-start", "1"},
      {"grant-add", "--user-id", "a", "--client", "*", "--listen-port-start", "1",
       "--listen-port-end", "65536"},
      {"grant-revoke"},
      {"user-list", "--format", "xml"}};
  for (const auto& line : lines) EXPECT_EQ(run(line).exit, 2) << line.front();
}

}  // namespace
}  // namespace portunus::server::cli
