#include "tests/server/api/api_fixture.hpp"

namespace portunus::server::http::api {
namespace {

class QuotasApiTest : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    bootstrap();
    id_ = enroll("edge-01");
  }
  Response change(const std::string& method, const Json& body,
                  const std::string& user = "_superadmin", const std::string& client = "edge-01") {
    return send({.method = method, .target = path(user, client), .body = body.dump()});
  }
  Response put(const Json& body) { return change("PUT", body); }
  static std::string path(const std::string& user = "_superadmin",
                          const std::string& client = "edge-01") {
    return "/v1/users/" + user + "/quotas/" + client;
  }
  std::string id_;
};

TEST_F(QuotasApiTest, HTTP_10_put_answers_with_the_whole_quota) {
  const Response stored =
      put({{"monthly_bytes", 1'099'511'627'776}, {"billing_anchor", 1'717'200'000}});
  ASSERT_EQ(stored.status, 200U) << stored.body;
  const Json quota = json(stored);
  EXPECT_EQ(quota["user_id"], "_superadmin");
  EXPECT_EQ(quota["client_id"], id_);
  EXPECT_EQ(quota["client_name"], "edge-01");
  EXPECT_EQ(quota["monthly_bytes"], 1'099'511'627'776);
  EXPECT_EQ(quota["billing_anchor"], 1'717'200'000);
  EXPECT_EQ(quota["current_period_started_at"], 1'717'200'000);
  EXPECT_EQ(quota["current_period_ends_at"], 1'719'792'000);
  EXPECT_EQ(quota["current_period_bytes_used"], 0);
  EXPECT_EQ(quota["budget_remaining_bytes"], 1'099'511'627'776);
  EXPECT_EQ(quota["exhausted_at"], nullptr);
  EXPECT_EQ(quota["exhausted"], false);
  EXPECT_EQ(quota["created_at"], quota["updated_at"]);
  EXPECT_EQ(quota.size(), 13U);
  EXPECT_EQ(json(get(path() + "/status")), quota);
  EXPECT_EQ(json(get(path("_superadmin", id_) + "/status")), quota);
  EXPECT_EQ(json(get("/v1/users/_superadmin/quotas")), Json::array({quota}));
  EXPECT_EQ(json(get("/v1/clients/edge-01/quotas")), Json::array({quota}));
  EXPECT_EQ(edges_->told, std::vector<std::string>{"quota _superadmin"});
}

TEST_F(QuotasApiTest, HTTP_10_patch_and_delete) {
  EXPECT_EQ(refusal(change("PATCH", Json::object())), "404 quota_not_found");
  ASSERT_EQ(put({{"monthly_bytes", 0}}).status, 200U);
  EXPECT_EQ(json(get(path() + "/status"))["exhausted"], true);
  const Response patched = change("PATCH", {{"monthly_bytes", 10}, {"clear_period_usage", true}});
  ASSERT_EQ(patched.status, 200U) << patched.body;
  EXPECT_EQ(json(patched)["exhausted"], false);
  EXPECT_EQ(json(patched)["monthly_bytes"], 10);
  EXPECT_EQ(send({.method = "DELETE", .target = path()}).status, 204U);
  EXPECT_EQ(refusal(send({.method = "DELETE", .target = path()})), "404 quota_not_found");
  EXPECT_EQ(refusal(get(path() + "/status")), "404 quota_not_found");
  EXPECT_EQ(get("/v1/users/_superadmin/quotas").body, "[]");
  EXPECT_EQ(edges_->told.size(), 3U);
}

TEST_F(QuotasApiTest, HTTP_10_refusals) {
  EXPECT_EQ(refusal(put(Json::object())), "422 invalid_body");
  EXPECT_EQ(refusal(put({{"monthly_bytes", "5"}})), "422 invalid_body");
  EXPECT_EQ(refusal(put({{"monthly_bytes", 1.5}})), "422 invalid_body");
  EXPECT_EQ(refusal(put({{"monthly_bytes", -1}})), "400 invalid_quota_size");
  EXPECT_EQ(refusal(put({{"monthly_bytes", 9'223'372'036'854'775'808U}})),
            "400 invalid_quota_size");
  EXPECT_EQ(refusal(change("PUT", {{"monthly_bytes", 1}}, "_superadmin", "Bad")),
            "400 invalid_client_name");
  EXPECT_EQ(
      refusal(change("PUT", {{"monthly_bytes", 1}}, "_superadmin", "01J00000000000000000000009")),
      "404 client_not_found");
  EXPECT_EQ(refusal(change("PUT", {{"monthly_bytes", 1}}, "nobody")), "422 quota_target_not_found");
  add_user("alice", store::Role::user);
  EXPECT_EQ(refusal(change("PUT", {{"monthly_bytes", 1}}, "alice")), "422 quota_target_not_found");
  EXPECT_EQ(refusal(put({{"monthly_bytes", 1}, {"billing_anchor", 253'402'300'800}})),
            "400 invalid_billing_anchor");
  EXPECT_EQ(refusal(put({{"monthly_bytes", 1}, {"billing_anchor", 9'223'372'036'854'775'808U}})),
            "400 invalid_billing_anchor");
  ASSERT_EQ(put({{"monthly_bytes", 9'223'372'036'854'775'807}, {"billing_anchor", 5}}).status,
            200U);
  EXPECT_EQ(refusal(put({{"monthly_bytes", 1}, {"billing_anchor", 6}})),
            "409 billing_anchor_immutable");
  EXPECT_EQ(refusal(change("PATCH", {{"monthly_bytes", -1}})), "400 invalid_quota_size");
  edges_->capable.version = "1.3.0";
  EXPECT_EQ(refusal(put({{"monthly_bytes", 1}})), "422 quota_unsupported_by_client");
  edges_->names.clear();  // offline: it queues
  EXPECT_EQ(put({{"monthly_bytes", 1}}).status, 200U);
}

TEST_F(QuotasApiTest, HTTP_10_an_integer_of_more_than_64_bits_is_out_of_bounds_and_no_wrong_shape) {
  const auto ask = [&](const char* method, const std::string& body) {
    return refusal(send({.method = method, .target = path(), .body = body}));
  };
  for (const std::string number :
       {"9223372036854775808", "18446744073709551615", "18446744073709551616",
        "340282366920938463463374607431768211456", "-9223372036854775809",
        "-18446744073709551616"}) {
    EXPECT_EQ(ask("PUT", "{\"monthly_bytes\":" + number + "}"), "400 invalid_quota_size") << number;
    EXPECT_EQ(ask("PUT", "{\"monthly_bytes\":1,\"billing_anchor\":" + number + "}"),
              "400 invalid_billing_anchor")
        << number;
  }
  ASSERT_EQ(put({{"monthly_bytes", 1}}).status, 200U);
  for (const std::string number : {"18446744073709551616", "-9223372036854775809"}) {
    EXPECT_EQ(ask("PATCH", "{\"monthly_bytes\":" + number + "}"), "400 invalid_quota_size")
        << number;
  }
  for (const std::string number : {"1.5", "-0.5", "1e3", "1.0", "9.3e18", "-9.2e18"}) {
    EXPECT_EQ(ask("PUT", "{\"monthly_bytes\":" + number + "}"), "422 invalid_body") << number;
    EXPECT_EQ(ask("PUT", "{\"monthly_bytes\":1,\"billing_anchor\":" + number + "}"),
              "422 invalid_body")
        << number;
  }
}

TEST_F(QuotasApiTest, HTTP_5_users_read_their_own_and_change_nothing) {
  const std::string alice = add_user("alice", store::Role::user);
  const auto ask = [&](const std::string& method, const std::string& target) {
    return refusal(send(
        {.method = method, .target = target, .body = R"({"monthly_bytes":1})", .token = alice}));
  };
  EXPECT_EQ(send({.target = "/v1/users/alice/quotas", .token = alice}).body, "[]");
  EXPECT_EQ(ask("GET", path("alice") + "/status"), "404 quota_not_found");
  EXPECT_EQ(ask("GET", "/v1/users/_superadmin/quotas"), "403 not_owner");
  EXPECT_EQ(ask("GET", path() + "/status"), "403 not_owner");
  EXPECT_EQ(ask("GET", "/v1/clients/edge-01/quotas"), "403 role_required");
  for (const char* method : {"PUT", "PATCH", "DELETE"}) {
    EXPECT_EQ(ask(method, path("alice")), "403 role_required") << method;
  }
}

TEST_F(QuotasApiTest, OBS_8_the_metrics_follow_the_row) {
  ASSERT_EQ(put({{"monthly_bytes", 0}}).status, 200U);
  const std::string labels = "{client=\"edge-01\",user=\"_superadmin\"}";
  std::string text = get("/v1/metrics").body;
  EXPECT_TRUE(text.contains("portunus_traffic_quota_bytes_limit" + labels + " 0\n")) << text;
  EXPECT_TRUE(text.contains("portunus_traffic_quota_bytes_used" + labels + " 0\n")) << text;
  EXPECT_TRUE(text.contains("portunus_traffic_quota_exhausted" + labels + " 1\n")) << text;
  EXPECT_TRUE(text.contains("portunus_traffic_quota_exhausted_total" + labels + " 1\n")) << text;
  EXPECT_FALSE(text.contains("portunus_traffic_quota_period_resets_total")) << text;
  ASSERT_EQ(send({.method = "DELETE", .target = path()}).status, 204U);
  text = get("/v1/metrics").body;
  EXPECT_FALSE(text.contains("portunus_traffic_quota")) << text;
}

}  // namespace
}  // namespace portunus::server::http::api
