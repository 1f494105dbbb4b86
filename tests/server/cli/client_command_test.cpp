#include "server/auth/client_service.hpp"
#include "server/store/store.hpp"
#include "tests/server/cli/cli_fixture.hpp"
#include "tests/server/support/http_stub.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>

namespace portunus::server::cli {
namespace {

using nlohmann::json;
using testing::DeafPort;
using testing::HttpStub;
using namespace std::chrono_literals;

constexpr std::string_view kHeader =
    "CLIENT                           STATE      PROVISIONED_AT            ADDRESS\n";

class ClientCommandTest : public CliTest {
 protected:
  ClientCommandTest() {
    variables_["HOSTNAME"] = "control.example";
    held_line_ = "error: store_in_use: " + (dir_ / "state.db").string() + "\n";
  }

  /// As a running server does.
  void hold_store() { lock_.emplace(store::StoreLock::acquire(dir_).value()); }

  Ran live(HttpStub& stub, std::vector<std::string> arguments) {
    variables_["PORTUNUS_OPERATOR_TOKEN"] = "tok";
    arguments.insert(arguments.end(), {"--http-endpoint", stub.endpoint()});
    return run_in_dir(std::move(arguments));
  }

  void config(std::string_view toml) { std::ofstream(dir_ / "server.toml") << toml; }

  std::string uri_of(const Ran& ran) {
    std::smatch match;
    const std::regex uri("portunus-client enroll '(.*)'\n$");
    return std::regex_search(ran.out, match, uri) ? match[1].str() : "none: " + ran.out;
  }

  /// Redeems the code of a URI on the store, which makes the client.
  void redeem(const std::string& uri) {
    const std::size_t at = uri.find("code=") + 5;
    auto opened = store::Store::open({.path = dir_ / "state.db"});
    ASSERT_TRUE(opened) << opened.error().text();
    auth::ClientService service(**opened, clock_, {"pem", std::string(64, '0')},
                                auth::AdvertisedEndpoint(std::nullopt, 1, {}));
    boost::asio::io_context io;
    auto done = boost::asio::co_spawn(io, service.redeem(uri.substr(at, uri.find('&', at) - at)),
                                      boost::asio::use_future);
    io.run();
    const auto bundle = done.get();
    ASSERT_TRUE(bundle) << bundle.error().text();
  }

  std::optional<store::StoreLock> lock_;
  std::string held_line_;
};

// --- On the store ---------------------------------------------------------------------------

TEST_F(ClientCommandTest, EnrollPrintsThreeLinesWithoutToken) {
  const Ran ran = run_in_dir({"enroll-client", "edge-01", "--address", "Edge.Example."});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(ran.err, "");
  const std::regex lines(
      "client_name=edge-01\n"
      "expires_at=2023-11-14 22:23:20 UTC\n"
      "portunus-client enroll 'portunus://127\\.0\\.0\\.1:7443/enroll\\?pin=sha256:[0-9a-f]{64}&"
      "code=[\\w-]{43}&cert=[\\w-]+'\n");
  EXPECT_TRUE(std::regex_match(ran.out, lines)) << ran.out;
  EXPECT_TRUE(std::filesystem::exists(dir_ / "server.key"));
}

TEST_F(ClientCommandTest, FractionsOfASecondAreShown) {
  clock_.advance(500ms);
  const Ran ran = run_in_dir({"enroll-client", "edge-01", "--ttl-secs", "1"});
  EXPECT_NE(ran.out.find("expires_at=2023-11-14 22:13:21.500 UTC\n"), std::string::npos) << ran.out;
}

TEST_F(ClientCommandTest, TheDataDirectoryIsMade) {
  const auto nested = dir_ / "a" / "b";
  expect(run({"list-clients", "--data-dir", nested.string()}), 0, kHeader, "");
  EXPECT_EQ(std::filesystem::status(nested).permissions(), std::filesystem::perms(0750));
}

TEST_F(ClientCommandTest, DomainRefusals) {
  expect(run_in_dir({"enroll-client", "Edge"}), 3, "", "error: invalid_name: \"Edge\"\n");
  expect(run_in_dir({"enroll-client", "edge", "--ttl-secs", "0"}), 3, "",
         "error: invalid_enrollment_ttl: expected 1..86400\n");
  expect(run_in_dir({"enroll-client", "edge", "--ttl-secs", "18446744073709551615"}), 3, "",
         "error: invalid_enrollment_ttl: expected 1..86400\n");
  expect(run_in_dir({"enroll-client", "edge", "--address", "http://x"}), 3, "",
         "error: invalid_client_address: http://x\n");
  expect(run_in_dir({"enroll-client", "edge", "--reissue"}), 8, "",
         "error: client_not_found: edge\n");
  expect(run_in_dir({"revoke", "a--b"}), 3, "", "error: invalid_name: \"a--b\"\n");
  expect(run_in_dir({"revoke", "never-seen"}), 0, "", "");
}

TEST_F(ClientCommandTest, AnExistingClientNeedsReissue) {
  redeem(uri_of(run_in_dir({"enroll-client", "edge-01"})));
  expect(run_in_dir({"enroll-client", "edge-01"}), 2, "",
         "error: client_already_exists: edge-01\n");
  const Ran again = run_in_dir({"enroll-client", "edge-01", "--reissue", "--address", "h"});
  EXPECT_EQ(again.exit, 0);
  EXPECT_TRUE(again.out.starts_with("client_name=edge-01\n")) << again.out;
  EXPECT_EQ(again.err, "warning: --address has no effect with --reissue\n");
}

TEST_F(ClientCommandTest, AdvertisedEndpointTiers) {
  const auto endpoint = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"enroll-client", "edge"});
    const std::string uri = uri_of(run_in_dir(std::move(more)));
    return uri.substr(0, uri.find("/enroll"));
  };
  EXPECT_EQ(endpoint({"--advertised-endpoint", "hub.example:8443"}),
            "portunus://hub.example:8443");  // part of the new certificate
  EXPECT_EQ(endpoint({}), "portunus://127.0.0.1:7443");
  variables_["PORTUNUS_ADVERTISED_ENDPOINT"] = "hub.example:1";
  EXPECT_EQ(endpoint({}), "portunus://hub.example:1");
  EXPECT_EQ(endpoint({"--advertised-endpoint", "localhost:2"}), "portunus://localhost:2");
  EXPECT_EQ(endpoint({"--advertised-endpoint="}), "portunus://127.0.0.1:7443");

  expect(run_in_dir({"enroll-client", "edge", "--advertised-endpoint", "other.example:1"}), 3, "",
         "error: advertised_endpoint: endpoint_not_in_cert_san: other.example:1\n");
  expect(run_in_dir({"enroll-client", "edge", "--advertised-endpoint", "bad"}), 3, "",
         "error: advertised_endpoint: endpoint_invalid: bad\n");
}

TEST_F(ClientCommandTest, TheControlPortIsThatOfTheConfiguration) {
  config("control_listen = \"0.0.0.0:9443\"\n");
  EXPECT_TRUE(
      uri_of(run_in_dir({"enroll-client", "edge"})).starts_with("portunus://127.0.0.1:9443/"));
  config("control_listen = \"0.0.0.0:0\"\n");
  EXPECT_TRUE(
      uri_of(run_in_dir({"enroll-client", "edge"})).starts_with("portunus://127.0.0.1:7443/"));
}

TEST_F(ClientCommandTest, BadConfigurationAndBadKeyMode) {
  config("nonsense = 1\n");
  const Ran ran = run_in_dir({"list-clients"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_TRUE(ran.err.starts_with("error: config_invalid: ")) << ran.err;
  config("");
  EXPECT_EQ(run_in_dir({"list-clients"}).exit, 0);
  std::filesystem::permissions(dir_ / "server.key", std::filesystem::perms(0640));
  const Ran key = run_in_dir({"list-clients"});
  EXPECT_EQ(key.exit, 1);
  EXPECT_NE(key.err.find("has mode 0640, refuse to start"), std::string::npos) << key.err;
}

TEST_F(ClientCommandTest, ListOnTheStore) {
  expect(run_in_dir({"list-clients"}), 0, kHeader, "");
  expect(run_in_dir({"list-clients", "--format", "json"}), 0, "[]\n", "");
  redeem(uri_of(run_in_dir({"enroll-client", "edge-02"})));
  redeem(uri_of(run_in_dir({"enroll-client", "edge-01", "--address", "10.0.0.1"})));
  expect(run_in_dir({"revoke", "edge-02"}), 0, "", "");
  expect(run_in_dir({"list-clients"}), 0,
         std::string(kHeader) +
             "edge-01                          offline    2023-11-14T22:13:20Z      10.0.0.1\n"
             "edge-02                          revoked    2023-11-14T22:13:20Z      -\n",
         "");
  const json rows = json::parse(run_in_dir({"list-clients", "--format", "json"}).out);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0]["client_id"].get<std::string>().size(), 26U);
  EXPECT_EQ(rows[0]["client_name"], "edge-01");
  EXPECT_EQ(rows[0]["provisioned_at"], "2023-11-14T22:13:20Z");
  EXPECT_EQ(rows[0]["client_address"], "10.0.0.1");
  EXPECT_EQ(rows[0]["connected"], false);
  for (const char* key : {"revoked_at", "remote_addr", "connected_at"}) {
    EXPECT_TRUE(rows[0].at(key).is_null()) << key;
  }
  EXPECT_EQ(rows[1]["revoked_at"], "2023-11-14T22:13:20Z");
}

TEST_F(ClientCommandTest, CLI_2_4_rename_on_the_store) {
  redeem(uri_of(run_in_dir({"enroll-client", "edge-01"})));
  redeem(uri_of(run_in_dir({"enroll-client", "edge-02"})));
  const auto names = [&] {
    std::map<std::string, std::string> out;
    for (const json& row : json::parse(run_in_dir({"list-clients", "--format", "json"}).out)) {
      out[row["client_name"]] = row["client_id"];
    }
    return out;
  };
  const auto rename = [&](const std::string& client, const std::string& name) {
    return run_in_dir({"rename-client", "--client-id", client, "--name", name});
  };
  const std::string id = names().at("edge-01");
  const std::string done = "client_id=" + id + "\nclient_name=";
  expect(rename(id, "centre"), 0, done + "centre\n", "");
  expect(rename(id, "centre"), 0, done + "centre\n", "");
  expect(rename("centre", "middle"), 0, done + "middle\n", "");
  EXPECT_EQ(names().at("middle"), id);
  EXPECT_EQ(names().size(), 2U);

  expect(rename(id, "edge-02"), 2, "", "error: client_already_exists: edge-02\n");
  expect(rename(id, "Edge"), 3, "", "error: invalid_name: \"Edge\"\n");
  expect(rename(id, ""), 3, "", "error: invalid_name: \"\"\n");
  expect(rename("", "other"), 3, "", "error: invalid_name: \"\"\n");
  const std::string unknown(26, '0');
  expect(rename(unknown, "other"), 8, "", "error: client_not_found: " + unknown + "\n");
  expect(rename("edge-01", "other"), 8, "", "error: client_not_found: edge-01\n");
  EXPECT_EQ(names().at("middle"), id);
}

TEST_F(ClientCommandTest, AStoreThatIsNone) {
  std::ofstream(dir_ / "state.db") << std::string(4096, 'x');
  const Ran ran = run_in_dir({"list-clients"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_TRUE(ran.err.starts_with("error: not_a_database")) << ran.err;
}

// --- While a server holds the store ---------------------------------------------------------

TEST_F(ClientCommandTest, HeldWithoutATokenNothingIsSent) {
  hold_store();
  HttpStub stub(HttpStub::json("200 OK", "[]"));
  for (const char* token : {"", "-"}) {
    if (*token == '\0') variables_["PORTUNUS_OPERATOR_TOKEN"] = token;
    for (const auto& line : std::vector<std::vector<std::string>>{
             {"enroll-client", "e"},
             {"revoke", "e"},
             {"list-clients"},
             {"rename-client", "--client-id", "e", "--name", "f"}}) {
      auto words = line;
      words.insert(words.end(), {"--http-endpoint", stub.endpoint()});
      expect(run_in_dir(words), 75, "", held_line_);
    }
    variables_.erase("PORTUNUS_OPERATOR_TOKEN");
  }
  EXPECT_TRUE(stub.requests().empty());
}

TEST_F(ClientCommandTest, HeldAndUnreachable) {
  hold_store();
  variables_["PORTUNUS_OPERATOR_TOKEN"] = "tok";
  const DeafPort port;
  const std::string endpoint = port.endpoint();
  expect(run_in_dir({"list-clients", "--http-endpoint", endpoint}), 75, "",
         "error: http: connect " + endpoint + ": Connection refused\n" + held_line_);
  limits_.total = 200ms;
  HttpStub silent("");
  const Ran ran = live(silent, {"revoke", "e"});
  EXPECT_EQ(ran.exit, 75);
  EXPECT_TRUE(ran.err.ends_with(": timed out after 200 ms\n" + held_line_)) << ran.err;
}

TEST_F(ClientCommandTest, EnrollThroughTheApi) {
  hold_store();
  const auto answer = HttpStub::json(
      "201 Created", R"({"client_name":"edge-01","expires_at":"2026-06-01T10:00:00.500+00:00",)"
                     R"("uri":"portunus://d.example:7443/enroll?pin=sha256:ab&code=c_-&cert=x",)"
                     R"("command":"rm -rf ."})");
  constexpr auto kOut =
      "client_name=edge-01\nexpires_at=2026-06-01 10:00:00.500 UTC\n"
      "portunus-client enroll 'portunus://d.example:7443/enroll?pin=sha256:ab&code=c_-&cert=x'\n";
  HttpStub stub(answer);
  expect(live(stub, {"enroll-client", "edge-01", "--address", "h.example"}), 0, kOut, "");
  const std::string request = stub.requests().at(0);
  EXPECT_TRUE(request.starts_with("POST /v1/client-enrollments HTTP/1.1\r\n")) << request;
  EXPECT_NE(request.find("Authorization: Bearer tok\r\n"), std::string::npos);
  EXPECT_EQ(json::parse(request.substr(request.find("\r\n\r\n"))),
            json::parse(R"({"name":"edge-01","address":"h.example","ttl_secs":600})"));

  HttpStub again(answer);
  expect(live(again, {"enroll-client", "a/b", "--reissue", "--ttl-secs", "5"}), 0, kOut, "");
  const std::string second = again.requests().at(0);
  EXPECT_TRUE(second.starts_with("POST /v1/clients/a%2Fb/enrollment HTTP/1.1\r\n")) << second;
  EXPECT_EQ(json::parse(second.substr(second.find("\r\n\r\n"))), json::parse(R"({"ttl_secs":5})"));
}

TEST_F(ClientCommandTest, CLI_2_4_rename_through_the_api) {
  hold_store();
  HttpStub stub(HttpStub::json(
      "200 OK", R"({"client_id":"01H","client_name":"new\u001b","connected":true,"more":1})"));
  expect(live(stub, {"rename-client", "--client-id", "a/b", "--name", "new"}), 0,
         "client_id=01H\nclient_name=new\\x1b\n", "");
  const std::string request = stub.requests().at(0);
  EXPECT_TRUE(request.starts_with("PATCH /v1/clients/a%2Fb/name HTTP/1.1\r\n")) << request;
  EXPECT_NE(request.find("Authorization: Bearer tok\r\n"), std::string::npos);
  EXPECT_EQ(json::parse(request.substr(request.find("\r\n\r\n"))),
            json::parse(R"({"client_name":"new"})"));

  HttpStub half(HttpStub::json("200 OK", R"({"client_name":"new"})"));
  expect(live(half, {"rename-client", "--client-id", "e", "--name", "new"}), 1, "",
         "error: parse response: missing field `client_id`\n");
}

TEST_F(ClientCommandTest, CLI_2_4_an_empty_client_makes_no_other_route) {
  hold_store();
  HttpStub stub(HttpStub::json("200 OK", "{}"));
  for (const auto& line :
       std::vector<std::vector<std::string>>{{"revoke", ""},
                                             {"enroll-client", "", "--reissue"},
                                             {"rename-client", "--client-id", "", "--name", "f"}}) {
    expect(live(stub, line), 3, "", "error: invalid_name (\"\")\n");
  }
  EXPECT_TRUE(stub.requests().empty());
}

TEST_F(ClientCommandTest, AUriThatIsUnfitForAShellIsRefused) {
  hold_store();
  for (const char* uri : {"portunus://h/enroll?'; true '", "http://h/", "portunus://h/$(x)"}) {
    HttpStub stub(HttpStub::json(
        "201 Created",
        json{{"client_name", "e"}, {"expires_at", "2026-06-01T10:00:00Z"}, {"uri", uri}}.dump()));
    expect(live(stub, {"enroll-client", "e"}), 1, "",
           "error: parse response: field `uri` is not an enrollment URI\n");
  }
}

TEST_F(ClientCommandTest, AdvertisedEndpointOnlyWarnsOnTheApiPath) {
  hold_store();
  HttpStub stub("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
  const Ran ran = live(stub, {"revoke", "edge-01", "--advertised-endpoint", "x:1"});
  EXPECT_EQ(ran.exit, 0);
  EXPECT_EQ(ran.out, "");
  EXPECT_TRUE(ran.err.starts_with("warning: --advertised-endpoint ")) << ran.err;
  EXPECT_TRUE(stub.requests().at(0).starts_with("POST /v1/clients/edge-01/revoke HTTP/1.1\r\n"));
  variables_["PORTUNUS_ADVERTISED_ENDPOINT"] = "x:1";
  expect(live(stub, {"revoke", "edge-01"}), 0, "", "");
}

TEST_F(ClientCommandTest, ListThroughTheApi) {
  hold_store();
  HttpStub stub(HttpStub::json(
      "200 OK",
      R"([{"client_id":"01H","client_name":"edge-01","provisioned_at":"2026-06-01T10:00:00.5Z",)"
      R"("revoked_at":null,"connected":true,"client_address":"e.example",)"
      R"("remote_addr":"203.0.113.9:5","connected_at":"2026-06-01T10:00:01Z","more":1},)"
      R"({"client_id":"01J","client_name":"edge-02","provisioned_at":"2026-06-01T10:00:00Z",)"
      R"("revoked_at":"2026-06-02T10:00:00Z","connected":true,"client_address":null,)"
      R"("remote_addr":null,"connected_at":null}])"));
  expect(live(stub, {"list-clients"}), 0,
         std::string(kHeader) +
             "edge-01                          connected  2026-06-01T10:00:00Z      e.example\n"
             "edge-02                          revoked    2026-06-01T10:00:00Z      -\n",
         "");
  const Ran ran = live(stub, {"list-clients", "--format=json"});
  const json rows = json::parse(ran.out);
  EXPECT_TRUE(ran.out.starts_with("[\n  {\n    \"client_id\": ")) << ran.out;
  EXPECT_FALSE(rows[0].contains("more"));
  EXPECT_EQ(rows[0]["remote_addr"], "203.0.113.9:5");
  EXPECT_TRUE(rows[1].at("client_address").is_null());
  EXPECT_TRUE(stub.requests().at(0).starts_with("GET /v1/clients HTTP/1.1\r\n"));
}

TEST_F(ClientCommandTest, ErrorCodesOfTheApiDecideTheExit) {
  hold_store();
  const std::pair<const char*, int> codes[] = {
      {"client_already_exists", 2},  {"invalid_name", 3},
      {"invalid_client_address", 3}, {"invalid_enrollment_ttl", 3},
      {"endpoint_invalid", 3},       {"unauthenticated", 4},
      {"role_required", 5},          {"bootstrap_required", 6},
      {"client_not_found", 8},       {"store_error", 1}};
  for (const auto& [code, exit] : codes) {
    HttpStub stub(HttpStub::fault("422 Unprocessable Entity", code, "why"));
    const std::string line = "error: " + std::string(code) + " (why)\n";
    expect(live(stub, {"enroll-client", "e"}), exit, "", line);
    expect(live(stub, {"revoke", "e"}), exit, "", line);
    expect(live(stub, {"list-clients"}), exit, "", line);
    expect(live(stub, {"rename-client", "--client-id", "e", "--name", "f"}), exit, "", line);
  }
  HttpStub plain(HttpStub::json("502 Bad Gateway", "<html>"));
  expect(live(plain, {"revoke", "e"}), 1, "", "error: server returned 502 Bad Gateway\n");
  HttpStub empty(HttpStub::json("200 OK", "{}"));
  expect(live(empty, {"list-clients"}), 1, "", "error: parse response: expected an array\n");
}

}  // namespace
}  // namespace portunus::server::cli
