#include "tests/server/api/api_fixture.hpp"

// The advertised endpoint over the API (http-api 11).

namespace portunus::server::http::api {
namespace {

class SettingsApiTest : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    bootstrap();
  }
  Response put(const std::string& body) {
    return send({.method = "PUT", .target = kPath, .body = body});
  }
  std::string enrolled_uri(const std::string& name) {
    return json(post("/v1/client-enrollments", {{"name", name}, {"address", "a.example"}}))["uri"];
  }

  inline static const std::string kPath = "/v1/settings/advertised-endpoint";
};

TEST_F(SettingsApiTest, HTTP_11_the_view_has_four_keys) {
  // The fixture's server has no seed; the request's host is no part of the view.
  EXPECT_EQ(get(kPath).body, R"({"override":null,"effective":"127.0.0.1:7443","source":"loopback",)"
                             R"("diagnostic":null})");
  const Response changed = put(R"({"advertised_endpoint":"d.example.com:1"})");
  ASSERT_EQ(changed.status, 200U) << changed.body;
  EXPECT_EQ(changed.body,
            R"({"override":"d.example.com:1","effective":"d.example.com:1","source":"override",)"
            R"("diagnostic":null})");
  EXPECT_EQ(get(kPath).body, changed.body);
}

TEST_F(SettingsApiTest, HTTP_11_null_absent_and_empty_clear) {
  for (const char* clearing :
       {R"({"advertised_endpoint":null})", "{}", R"({"advertised_endpoint":""})"}) {
    ASSERT_EQ(put(R"({"advertised_endpoint":"d.example.com:1"})").status, 200U);
    EXPECT_EQ(json(put(clearing))["override"], nullptr) << clearing;
    EXPECT_EQ(json(get(kPath))["source"], "loopback") << clearing;
  }
}

TEST_F(SettingsApiTest, HTTP_11_refusals_store_nothing) {
  EXPECT_EQ(refusal(put(R"({"advertised_endpoint":"https://d.example.com"})")),
            "422 endpoint_invalid");
  EXPECT_EQ(refusal(put(R"({"advertised_endpoint":"e.example.com:1"})")),
            "422 endpoint_not_in_cert_san");
  EXPECT_EQ(refusal(put(R"({"advertised_endpoint":5})")), "422 invalid_body");
  EXPECT_EQ(refusal(put("[]")), "422 invalid_body");
  EXPECT_EQ(refusal(put("")), "400 invalid_json");
  EXPECT_EQ(refusal(send({.method = "PUT", .target = kPath})), "415 unsupported_media_type");
  EXPECT_EQ(json(get(kPath))["override"], nullptr);
}

TEST_F(SettingsApiTest, HTTP_5_only_superadmins) {
  const std::string alice = add_user("alice", store::Role::user);
  EXPECT_EQ(refusal(send({.target = kPath, .token = alice})), "403 role_required");
  EXPECT_EQ(refusal(send({.method = "PUT", .target = kPath, .body = "{}", .token = alice})),
            "403 role_required");
  // The body is decoded before the role is asked for, and judged after it (http-api 1).
  EXPECT_EQ(refusal(send({.method = "PUT", .target = kPath, .body = "5", .token = alice})),
            "422 invalid_body");
  EXPECT_EQ(refusal(send({.method = "PUT",
                          .target = kPath,
                          .body = R"({"advertised_endpoint":"bad"})",
                          .token = alice})),
            "403 role_required");
}

TEST_F(SettingsApiTest, HTTP_11_enrollments_get_the_override_and_keep_it) {
  EXPECT_TRUE(enrolled_uri("edge-01").starts_with("portunus://d.example.com:7443/"));  // derived
  ASSERT_EQ(put(R"({"advertised_endpoint":"localhost:9000"})").status, 200U);
  const std::string uri = enrolled_uri("edge-02");
  EXPECT_TRUE(uri.starts_with("portunus://localhost:9000/")) << uri;
  ASSERT_EQ(put("{}").status, 200U);
  const auto bundle = io_.run(clients_->redeem(uri.substr(uri.find("code=") + 5, 43)));
  ASSERT_TRUE(bundle) << bundle.error().text();
  EXPECT_EQ(bundle->server_endpoint, "localhost:9000");
}

}  // namespace
}  // namespace portunus::server::http::api
