#include "server/store/traffic_sample_store.hpp"
#include "tests/server/api/api_fixture.hpp"

// The traffic history over the API (http-api 10).

namespace portunus::server::http::api {
namespace {

class TrafficApiTest : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    bootstrap();
    alice_ = add_user("alice", store::Role::user);
    one_ = enroll("edge-01");
    two_ = enroll("edge-02", false);
    start_ = to_unix_seconds(clock_.now()) / 60 * 60 - 600;
    book(one_, "edge-01", "alice", 400, 600);
    book(two_, "edge-02", "alice", 1, 2);
    book(one_, "edge-01", "bob", 10, 20);
  }
  void book(const std::string& client_id, const std::string& name, const std::string& user,
            std::uint64_t in, std::uint64_t out) {
    EXPECT_TRUE(store_->write_now([&](store::Connection& c) {
      return store::add_minute_sample(c, {client_id, name}, user, start_, in, out);
    }));
  }
  std::string range(const std::string& more = "") const {
    return "?from=" + std::to_string(start_) + "&to=" + std::to_string(start_ + 60) + more;
  }
  Json answer(std::int64_t in, std::int64_t out) const {
    return {{"bucket", "1m"},
            {"samples", {{{"ts", start_}, {"bytes_in", in}, {"bytes_out", out}}}},
            {"total_bytes_in", in},
            {"total_bytes_out", out}};
  }

  std::string alice_;
  std::string one_;
  std::string two_;
  std::int64_t start_ = 0;
};

TEST_F(TrafficApiTest, HTTP_10_each_route_sums_what_it_does_not_filter) {
  const Response global = get("/v1/traffic/global" + range());
  ASSERT_EQ(global.status, 200U) << global.body;
  EXPECT_EQ(global.header("content-type"), "application/json");
  EXPECT_EQ(global.header("cache-control"), "no-store");
  EXPECT_EQ(json(global), answer(411, 622));
  EXPECT_EQ(json(get("/v1/users/alice/traffic" + range())), answer(401, 602));
  EXPECT_EQ(json(get("/v1/clients/edge-01/traffic" + range())), answer(410, 620));
  EXPECT_EQ(json(get("/v1/clients/" + one_ + "/traffic" + range("&user_id=bob"))), answer(10, 20));
  EXPECT_EQ(json(get("/v1/users/alice/traffic" + range("&client_name=edge-02"))), answer(1, 2));
  EXPECT_EQ(json(get("/v1/users/alice/traffic" + range("&client_id=" + one_))), answer(400, 600));
  // Either key takes a name and an id (http-api 2).
  EXPECT_EQ(json(get("/v1/users/alice/traffic" + range("&client_name=" + one_))), answer(400, 600));
}

TEST_F(TrafficApiTest, HTTP_10_nothing_is_an_empty_list) {
  const Json nothing = {
      {"bucket", "1h"}, {"samples", Json::array()}, {"total_bytes_in", 0}, {"total_bytes_out", 0}};
  EXPECT_EQ(json(get("/v1/traffic/global" + range("&bucket=1h"))), nothing);
  EXPECT_EQ(json(get("/v1/users/nobody/traffic" + range()))["samples"], Json::array());
  EXPECT_EQ(json(get("/v1/clients/edge-77/traffic" + range()))["samples"], Json::array());
}

TEST_F(TrafficApiTest, HTTP_10_keys_are_in_the_order_of_the_contract) {
  const std::string ts = std::to_string(start_);
  EXPECT_EQ(get("/v1/users/bob/traffic" + range()).body,
            R"({"bucket":"1m","samples":[{"ts":)" + ts +
                R"(,"bytes_in":10,"bytes_out":20}],"total_bytes_in":10,"total_bytes_out":20})");
}

TEST_F(TrafficApiTest, HTTP_5_who_may_read) {
  const auto as_alice = [&](const std::string& path) {
    return send({.target = path + range(), .token = alice_});
  };
  EXPECT_EQ(json(as_alice("/v1/users/alice/traffic")), answer(401, 602));
  EXPECT_EQ(refusal(as_alice("/v1/users/bob/traffic")), "403 not_owner");
  EXPECT_EQ(refusal(as_alice("/v1/clients/edge-01/traffic")), "403 role_required");
  EXPECT_EQ(refusal(as_alice("/v1/traffic/global")), "403 role_required");
}

TEST_F(TrafficApiTest, HTTP_1_from_and_to_are_required_integers) {
  for (const char* query :
       {"", "?from=1", "?to=1", "?from=&to=2", "?from=1.5&to=2", "?from=1&to=x", "?from=+1&to=2",
        "?from=1&to=9223372036854775808", "?from=1&from=1&to=2", "?from=%&to=2", "?from=0x1&to=2",
        "?from=1&to=2%20"}) {
    for (const char* path :
         {"/v1/traffic/global", "/v1/users/alice/traffic", "/v1/clients/edge-01/traffic"}) {
      EXPECT_EQ(refusal(get(std::string(path) + query)), "400 invalid_query") << path << query;
    }
  }
  EXPECT_EQ(refusal(get("/v1/users/alice/traffic" + range("&client_name=a&client_id=a"))),
            "400 invalid_query");
}

TEST_F(TrafficApiTest, HTTP_10_errors_in_their_order) {
  const std::string wrong = "?from=-1&to=-1&bucket=x";
  // The query is decoded before the role is asked for (http-api 1).
  EXPECT_EQ(refusal(send({.target = "/v1/users/bob/traffic", .token = alice_})),
            "400 invalid_query");
  EXPECT_EQ(refusal(send({.target = "/v1/users/bob/traffic" + wrong, .token = alice_})),
            "403 not_owner");
  EXPECT_EQ(refusal(get("/v1/clients/Bad/traffic" + wrong)), "400 invalid_client_name");
  EXPECT_EQ(refusal(get("/v1/users/alice/traffic" + wrong + "&client_id=Bad")),
            "400 invalid_client_name");
  EXPECT_EQ(refusal(get("/v1/clients/01J00000000000000000000009/traffic" + wrong)),
            "404 client_not_found");
  EXPECT_EQ(refusal(get("/v1/clients/edge-01/traffic" + wrong)), "400 invalid_time_range");
  EXPECT_EQ(refusal(get("/v1/traffic/global?from=0&to=1&bucket=x")), "400 invalid_bucket");
  EXPECT_EQ(refusal(get("/v1/traffic/global?from=0&to=1")), "422 quota_bucket_out_of_retention");
}

TEST_F(TrafficApiTest, HTTP_10_the_history_has_no_other_method) {
  const Response refused = send({.method = "POST", .target = "/v1/traffic/global" + range()});
  EXPECT_EQ(refusal(refused), "405 method_not_allowed");
  EXPECT_EQ(refused.header("allow"), "GET, HEAD");
}

}  // namespace
}  // namespace portunus::server::http::api
