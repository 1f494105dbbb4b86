#include "tests/server/api/api_fixture.hpp"

namespace portunus::server::http::api {
namespace {

class OwnerCapsApiTest : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    bootstrap();
    id_ = enroll("edge-01");
  }
  Response put(const Json& body, const std::string& owner = "alice",
               const std::string& client = "edge-01") {
    return send({.method = "PUT", .target = path(owner, client), .body = body.dump()});
  }
  static std::string path(const std::string& owner = "alice",
                          const std::string& client = "edge-01") {
    return "/v1/clients/" + client + "/owners/" + owner + "/rate-limit";
  }
  std::string id_;
};

TEST_F(OwnerCapsApiTest, HTTP_7_3_put_get_and_delete) {
  const Json caps = {{"bandwidth_in_bps", 18'446'744'073'709'551'615U},
                     {"concurrent_connections", 3}};
  const Response stored = put(caps);
  ASSERT_EQ(stored.status, 200U) << stored.body;
  const Json answer = json(stored);
  EXPECT_EQ(answer["client_id"], id_);
  EXPECT_EQ(answer["client_name"], "edge-01");
  EXPECT_EQ(answer["owner_id"], "alice");
  EXPECT_EQ(answer["rate_limit"], caps);  // unset keys are omitted
  EXPECT_GT(answer["updated_at_unix_ms"], 1'700'000'000'000);
  EXPECT_EQ(answer.size(), 5U);
  EXPECT_EQ(json(get(path())), answer);
  EXPECT_EQ(json(get(path("alice", id_))), answer);
  EXPECT_EQ(edges_->told, std::vector<std::string>{"caps alice"});

  const Response gone = send({.method = "DELETE", .target = path()});
  EXPECT_EQ(gone.status, 204U);
  EXPECT_EQ(gone.body, "");
  EXPECT_EQ(refusal(get(path())), "404 owner_rate_limit_not_found");
  EXPECT_EQ(send({.method = "DELETE", .target = path()}).status, 204U);
}

TEST_F(OwnerCapsApiTest, HTTP_7_3_owners_with_a_rule_or_caps) {
  push(18080);
  push(18081);
  ASSERT_EQ(put({{"concurrent_connections", 3}}).status, 200U);
  EXPECT_EQ(json(get("/v1/clients/edge-01/owners")),
            Json::parse(R"([{"owner_id":"_superadmin","has_rate_limit":false,"rule_count":2},
                            {"owner_id":"alice","has_rate_limit":true,"rule_count":0}])"));
  EXPECT_EQ(get("/v1/clients/edge-99/owners").body, "[]");
  EXPECT_EQ(refusal(get("/v1/clients/Bad/owners")), "400 validation.client_name_invalid");
  EXPECT_EQ(refusal(get("/v1/clients/01J00000000000000000000009/owners")), "404 client_not_found");
}

TEST_F(OwnerCapsApiTest, HTTP_7_3_refusals) {
  const std::string reserved = "400 validation.rate_limit_burst_unsupported";
  EXPECT_EQ(refusal(put(Json::object(), "alice", "Bad")), "400 validation.client_name_invalid");
  EXPECT_EQ(refusal(put({{"concurrent_connections_burst", 5}})), reserved);
  EXPECT_EQ(refusal(put({{"concurrent_connections_burst", "x"}}, "alice", "edge-99")), reserved);
  EXPECT_EQ(put({{"concurrent_connections_burst", nullptr}}).status, 200U);
  EXPECT_EQ(refusal(put({{"bandwidth_in_bps", 0}}, "alice", "edge-99")),
            "422 rate_limit_unsupported_by_client");
  EXPECT_EQ(refusal(put({{"bandwidth_in_bps", 0}})), "400 validation.rate_limit_cap_zero");
  EXPECT_EQ(refusal(put({{"bandwidth_in_burst", 1}})),
            "400 validation.rate_limit_burst_without_rate");
  EXPECT_EQ(refusal(put({{"bandwidth_in_bps", 1000}, {"bandwidth_in_burst", 9}})),
            "400 validation.rate_limit_burst_range");
  EXPECT_EQ(refusal(put({{"concurrent_connections", 4'294'967'296}})), "422 invalid_body");
  EXPECT_EQ(refusal(put({{"bandwidth_in_bps", "1"}})), "422 invalid_body");
  EXPECT_EQ(refusal(put({{"bandwidth_in_bps", 1}}, "Not%20A%20User")), "422 invalid_user_id");
  edges_->capable.version = "0.10.9";
  EXPECT_EQ(refusal(put({{"bandwidth_in_bps", 1}})), "422 rate_limit_unsupported_by_client");
}

TEST_F(OwnerCapsApiTest, HTTP_5_owner_caps_are_for_superadmins) {
  const std::string alice = add_user("alice", store::Role::user);
  for (const char* method : {"GET", "PUT", "DELETE"}) {
    EXPECT_EQ(refusal(send({.method = method,
                            .target = path(),
                            .body = R"({"bandwidth_in_bps":1})",
                            .token = alice})),
              "403 role_required")
        << method;
  }
  EXPECT_EQ(refusal(send({.target = "/v1/clients/edge-01/owners", .token = alice})),
            "403 role_required");
}

TEST_F(OwnerCapsApiTest, HTTP_7_3_caps_go_with_the_owners_last_rule) {
  const std::uint64_t first = push(18080);
  const std::uint64_t second = push(18081);
  ASSERT_EQ(put({{"concurrent_connections", 3}}, "_superadmin").status, 200U);
  const auto remove = [&](std::uint64_t rule) {
    EXPECT_EQ(send({.method = "DELETE", .target = "/v1/rules/" + std::to_string(rule)}).status,
              204U);
  };
  remove(first);
  EXPECT_EQ(get(path("_superadmin")).status, 200U);
  remove(second);
  EXPECT_EQ(refusal(get(path("_superadmin"))), "404 owner_rate_limit_not_found");
  EXPECT_EQ(edges_->told, (std::vector<std::string>{"caps _superadmin", "caps _superadmin"}));
}

}  // namespace
}  // namespace portunus::server::http::api
