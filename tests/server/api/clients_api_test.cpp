#include <gtest/gtest.h>

#include "common/base/rfc3339.hpp"
#include "tests/server/api/api_fixture.hpp"

namespace portunus::server::http::api {
namespace {

class ClientsApiTest : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    bootstrap();
  }
  Response put(const std::string& target, const Json& body) {
    return send({.method = "PUT", .target = target, .body = body.dump()});
  }
  Response patch(const std::string& target, const Json& body) {
    return send({.method = "PATCH", .target = target, .body = body.dump()});
  }
  Response call(const std::string& method, const std::string& target) {
    return send({.method = method, .target = target});
  }
};

TEST_F(ClientsApiTest, EnrollingAnswersUriAndCommand) {
  const Response created =
      post("/v1/client-enrollments",
           {{"name", "edge-01"}, {"address", "e.example.com"}, {"ttl_secs", 60}});
  ASSERT_EQ(created.status, 201U) << created.body;
  const Json body = json(created);
  EXPECT_EQ(body["client_name"], "edge-01");
  const std::string uri = body["uri"];
  EXPECT_TRUE(uri.starts_with("portunus://d.example.com:7443/enroll?pin=sha256:")) << uri;
  EXPECT_EQ(body["command"], "portunus-client enroll '" + uri + "'");
  const std::string expires = body["expires_at"];
  EXPECT_TRUE(expires.ends_with("+00:00")) << expires;
  EXPECT_TRUE(parse_rfc3339(expires));
  EXPECT_EQ(get("/v1/clients").body, "[]");  // appears once the code was redeemed
}

TEST_F(ClientsApiTest, EnrollingRefusesInOrder) {
  const auto refused = [&](const Json& body) {
    return refusal(post("/v1/client-enrollments", body));
  };
  EXPECT_EQ(refused({{"name", "Bad"}, {"address", "x:1"}, {"ttl_secs", 0}}), "400 invalid_name");
  EXPECT_EQ(refused({{"name", "e"}, {"address", "x:1"}, {"ttl_secs", 0}}),
            "400 invalid_enrollment_ttl");
  EXPECT_EQ(refused({{"name", "e"}, {"address", "x"}, {"ttl_secs", 86401}}),
            "400 invalid_enrollment_ttl");
  EXPECT_EQ(refused({{"name", "e"}, {"address", "x:1"}}), "400 invalid_client_address");
  enroll("edge-01");
  EXPECT_EQ(refused({{"name", "edge-01"}, {"address", "x"}}), "409 client_already_exists");
}

TEST_F(ClientsApiTest, EnrollingAgainNeedsAClient) {
  const std::string id = enroll("edge-01");
  for (const std::string& key : {std::string("edge-01"), id}) {
    const Response again = post("/v1/clients/" + key + "/enrollment", Json::object());
    ASSERT_EQ(again.status, 201U) << again.body;
    EXPECT_EQ(json(again)["client_name"], "edge-01");
  }
  EXPECT_EQ(refusal(post("/v1/clients/edge-02/enrollment", Json::object())),
            "404 client_not_found");
  EXPECT_EQ(refusal(post("/v1/clients/Edge/enrollment", Json::object())), "400 invalid_name");
  EXPECT_EQ(refusal(post("/v1/clients/edge-01/enrollment", {{"ttl_secs", 0}})),
            "400 invalid_enrollment_ttl");
}

TEST_F(ClientsApiTest, ListingShowsTheContractsObject) {
  const std::string id = enroll("edge-01");
  enroll("edge-00", false);
  const Json list = json(get("/v1/clients"));
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0]["client_name"], "edge-00");
  EXPECT_EQ(list[0]["connected"], false);
  EXPECT_TRUE(list[0]["remote_addr"].is_null());
  EXPECT_TRUE(list[0]["connected_at"].is_null());

  Json client = list[1];
  EXPECT_TRUE(parse_rfc3339(client["provisioned_at"].get<std::string>()));
  EXPECT_TRUE(client["provisioned_at"].get<std::string>().ends_with("Z"));
  client.erase("provisioned_at");
  EXPECT_EQ(client, (Json{{"client_id", id},
                          {"client_name", "edge-01"},
                          {"revoked_at", nullptr},
                          {"connected", true},
                          {"client_address", "edge.example.com"},
                          {"remote_addr", "203.0.113.9:51514"},
                          {"connected_at", "2023-11-14T22:13:20Z"}}));
}

TEST_F(ClientsApiTest, AUserWithoutGrantsSeesNoClient) {
  enroll("edge-01");
  const std::string alice = add_user("alice", store::Role::user);
  EXPECT_EQ(send({.target = "/v1/clients", .token = alice}).body, "[]");
}

TEST_F(ClientsApiTest, AddressesAreCanonical) {
  enroll("edge-01");
  const Response set = put("/v1/clients/edge-01", {{"address", " Edge.Example.COM. "}});
  ASSERT_EQ(set.status, 200U) << set.body;
  EXPECT_EQ(json(set)["client_address"], "edge.example.com");
  EXPECT_EQ(refusal(put("/v1/clients/edge-01", {{"address", "http://x"}})),
            "400 invalid_client_address");
  EXPECT_EQ(refusal(put("/v1/clients/edge-02", {{"address", "x"}})), "404 client_not_found");
  EXPECT_EQ(refusal(put("/v1/clients/Bad", {{"address", "x"}})), "400 invalid_name");
  EXPECT_EQ(refusal(put("/v1/clients/edge-01", Json::object())), "422 invalid_body");
}

TEST_F(ClientsApiTest, RenamingKeepsIdAndSessionAndRules) {
  const std::string id = enroll("edge-01");
  enroll("edge-02");
  push(18080);
  const Response renamed = patch("/v1/clients/edge-01/name", {{"client_name", "edge-09"}});
  ASSERT_EQ(renamed.status, 200U) << renamed.body;
  EXPECT_EQ(json(renamed)["client_id"], id);
  EXPECT_EQ(json(renamed)["client_name"], "edge-09");
  EXPECT_EQ(json(renamed)["connected"], true);
  EXPECT_EQ(json(get("/v1/rules"))[0]["client_name"], "edge-09");
  EXPECT_EQ(refusal(patch("/v1/clients/edge-09/name", {{"client_name", "edge-02"}})),
            "409 client_already_exists");
  EXPECT_EQ(refusal(patch("/v1/clients/edge-09/name", {{"client_name", "Bad"}})),
            "400 invalid_name");
  EXPECT_EQ(refusal(patch("/v1/clients/edge-01/name", {{"client_name", "x"}})),
            "404 client_not_found");
}

TEST_F(ClientsApiTest, RevokingIsIdempotentAndCutsTheSession) {
  const std::string id = enroll("edge-01");
  EXPECT_EQ(call("POST", "/v1/clients/edge-01/revoke").status, 204U);
  EXPECT_FALSE(edges_->connected(id));
  EXPECT_EQ(call("POST", "/v1/clients/edge-01/revoke").status, 204U);
  EXPECT_EQ(call("POST", "/v1/clients/never-heard-of/revoke").status, 204U);
  EXPECT_EQ(refusal(call("POST", "/v1/clients/Bad/revoke")), "400 invalid_name");
  EXPECT_EQ(refusal(call("POST", "/v1/clients/01HZZZZZZZZZZZZZZZZZZZZZZZ/revoke")),
            "404 client_not_found");
  EXPECT_FALSE(json(get("/v1/clients"))[0]["revoked_at"].is_null());
}

TEST_F(ClientsApiTest, OnlyARevokedClientIsDeleted) {
  enroll("edge-01");
  push(18080);
  EXPECT_EQ(refusal(call("DELETE", "/v1/clients/edge-01")), "409 client_not_revoked");
  EXPECT_EQ(refusal(call("DELETE", "/v1/clients/edge-02")), "404 client_not_found");
  call("POST", "/v1/clients/edge-01/revoke");
  EXPECT_EQ(call("DELETE", "/v1/clients/edge-01").status, 204U);
  EXPECT_EQ(get("/v1/clients").body, "[]");
  const Json rule = json(get("/v1/rules"))[0];  // it stays, bound to the bare name
  EXPECT_EQ(rule["client_name"], "edge-01");
  EXPECT_TRUE(rule["client_id"].is_null());
  const std::string again = enroll("edge-01");
  EXPECT_EQ(json(get("/v1/rules"))[0]["client_id"], again);
}

}  // namespace
}  // namespace portunus::server::http::api
