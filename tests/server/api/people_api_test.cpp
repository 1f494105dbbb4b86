#include "tests/server/api/api_fixture.hpp"

// Users, credentials, grants, and what a user of role `user` sees (http-api 4 and 6).

namespace portunus::server::http::api {
namespace {

class PeopleApiTest : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    bootstrap();
  }
  Response remove(std::string target, std::optional<std::string> token = std::nullopt) {
    return send({.method = "DELETE", .target = std::move(target), .token = std::move(token)});
  }
  Response push_as(const std::string& token, const Json& body) {
    return send({.method = "POST", .target = "/v1/rules", .body = body.dump(), .token = token});
  }
  Json get_as(const std::string& token, std::string target) {
    return json(send({.target = std::move(target), .token = token}));
  }
};

TEST_F(PeopleApiTest, HTTP_6_1_users) {
  const Response added = post("/v1/users", {{"user_id", "alice"}, {"display_name", " Alice "}});
  ASSERT_EQ(added.status, 201U) << added.body;
  EXPECT_EQ(added.body, R"({"user_id":"alice","display_name":"Alice","role":"user"})");
  const Json user = json(get("/v1/users/alice"));
  EXPECT_TRUE(user["created_at"].get<std::string>().ends_with("Z"));
  EXPECT_EQ(user, (Json{{"user_id", "alice"},
                        {"display_name", "Alice"},
                        {"role", "user"},
                        {"disabled", false},
                        {"created_at", user["created_at"]},
                        {"credential_count", 0},
                        {"grant_count", 0}}));
  const Json all = json(get("/v1/users"));
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0]["user_id"], "_superadmin");
  EXPECT_EQ(all[0]["credential_count"], 1);
  EXPECT_EQ(all[1], user);
  EXPECT_EQ(get("/v1/users/_superadmin").status, 200U);
  EXPECT_EQ(refusal(get("/v1/users/Alice")), "422 invalid_user_id");
  EXPECT_EQ(refusal(get("/v1/users/bob")), "404 user_not_found");
}

TEST_F(PeopleApiTest, HTTP_6_1_refusals_of_a_new_user) {
  const auto add = [&](Json change) {
    Json body{{"user_id", "alice"}, {"display_name", "A"}};
    body.update(change);
    return refusal(post("/v1/users", body));
  };
  EXPECT_EQ(refusal(post("/v1/users", {{"user_id", "alice"}})), "422 invalid_body");
  EXPECT_EQ(add({{"role", 5}}), "422 invalid_body");
  EXPECT_EQ(add({{"password_change_required", "yes"}}), "422 invalid_body");
  EXPECT_EQ(add({{"user_id", "A"}}), "422 invalid_user_id");
  EXPECT_EQ(add({{"user_id", "_a"}}), "422 reserved_user_id");
  EXPECT_EQ(add({{"user_id", "_A b"}}), "422 reserved_user_id");
  EXPECT_EQ(add({{"display_name", ""}}), "422 invalid_display_name");
  EXPECT_EQ(add({{"role", "boss"}}), "403 role_required");
  EXPECT_EQ(add({{"password_change_required", true}}), "422 initial_password_required");
  EXPECT_EQ(add({{"initial_password", "elevenchars"}}), "422 password_too_short");
  EXPECT_EQ(add({{"initial_password", std::string(1025, 'x')}}), "422 password_too_long");
  EXPECT_EQ(json(get("/v1/users")).size(), 1U);
  const Response added = post("/v1/users", {{"user_id", "alice"},
                                            {"display_name", "A"},
                                            {"role", "superadmin"},
                                            {"initial_password", "long enough password"},
                                            {"password_change_required", true}});
  EXPECT_EQ(added.status, 201U) << added.body;
  EXPECT_FALSE(get("/v1/users/alice").body.contains("password"));
  const Response in =
      post("/v1/auth/login", {{"user_id", "alice"}, {"password", "long enough password"}});
  EXPECT_EQ(in.status, 200U) << in.body;
  EXPECT_EQ(json(in), (Json{{"password_change_required", true}}));
  EXPECT_EQ(add(Json::object()), "409 user_already_exists");
}

TEST_F(PeopleApiTest, HTTP_6_2_a_credential_from_issue_to_rotation) {
  post("/v1/users", {{"user_id", "alice"}, {"display_name", "A"}});
  const std::string path = "/v1/users/alice/credentials";
  const Response issued = post(path, {{"label", "laptop"}});
  ASSERT_EQ(issued.status, 201U) << issued.body;
  const Json first = json(issued);
  EXPECT_EQ(first.size(), 5U);
  EXPECT_EQ(first["label"], "laptop");
  const std::string token = first["token"];
  EXPECT_EQ(token.size(), 43U);
  EXPECT_EQ(get_as(token, "/v1/users/me"),
            (Json{{"user_id", "alice"}, {"role", "user"}, {"display_name", "A"}}));

  const Json listed = get_as(token, path)[0];
  EXPECT_EQ(listed.size(), 7U);
  EXPECT_EQ(listed["status"], "active");
  EXPECT_EQ(listed["revoked_at"], nullptr);
  EXPECT_FALSE(listed.contains("token"));

  const std::string id = first["credential_id"];
  const Response rotated =
      send({.method = "POST", .target = path + "/" + id + "/rotate", .body = "{}", .token = token});
  ASSERT_EQ(rotated.status, 200U) << rotated.body;
  EXPECT_EQ(json(rotated)["label"], nullptr);
  EXPECT_EQ(refusal(send({.target = path, .token = token})), "401 credential_invalid");
  const std::string fresh = json(rotated)["token"];
  EXPECT_EQ(get_as(fresh, path).size(), 2U);
  EXPECT_EQ(remove(path + "/" + id, fresh).status, 204U);  // revoked already
  EXPECT_EQ(remove(path + "/" + json(rotated)["credential_id"].get<std::string>()).status, 204U);
  EXPECT_EQ(refusal(send({.target = path, .token = fresh})), "401 credential_invalid");
}

TEST_F(PeopleApiTest, HTTP_6_2_refusals_in_their_order) {
  const std::string alice = add_user("alice", store::Role::user);
  const auto as_alice = [&](const std::string& method, const std::string& target) {
    return refusal(send({.method = method, .target = target, .body = "{}", .token = alice}));
  };
  for (const char* tail : {"", "/x/rotate"}) {
    const std::string end = std::string("/credentials") + tail;
    EXPECT_EQ(as_alice("POST", "/v1/users/Bad" + end), "422 invalid_user_id");
    EXPECT_EQ(as_alice("POST", "/v1/users/_superadmin" + end), "403 not_owner");
    EXPECT_EQ(refusal(send({.method = "POST", .target = "/v1/users/alice" + end})),
              "415 unsupported_media_type");
    EXPECT_EQ(refusal(post("/v1/users/nobody" + end, Json::object())), "404 user_not_found");
  }
  EXPECT_EQ(as_alice("GET", "/v1/users/Bad/credentials"), "422 invalid_user_id");
  EXPECT_EQ(as_alice("GET", "/v1/users/bob/credentials"), "403 not_owner");
  EXPECT_EQ(get("/v1/users/bob/credentials").body, "[]");
  EXPECT_EQ(as_alice("DELETE", "/v1/users/bob/credentials/x"), "403 not_owner");
  EXPECT_EQ(as_alice("DELETE", "/v1/users/alice/credentials/x"), "404 credential_not_found");
  EXPECT_EQ(as_alice("POST", "/v1/users/alice/credentials/x/rotate"), "404 credential_not_found");
}

TEST_F(PeopleApiTest, HTTP_6_3_grants) {
  add_user("alice", store::Role::user);
  const std::string edge = enroll("edge-01");
  const Response added = post("/v1/grants", {{"user_id", "alice"},
                                             {"client", edge},
                                             {"listen_port_start", 30000},
                                             {"listen_port_end", 30010},
                                             {"protocols", {"udp", "tcp"}},
                                             {"note", nullptr}});
  ASSERT_EQ(added.status, 201U) << added.body;
  const Json grant = json(added);
  EXPECT_EQ(grant, (Json{{"grant_id", grant["grant_id"]},
                         {"user_id", "alice"},
                         {"client", "edge-01"},
                         {"client_id", edge},
                         {"listen_port_start", 30000},
                         {"listen_port_end", 30010},
                         {"protocols", {"tcp", "udp"}},
                         {"note", nullptr},
                         {"created_at", grant["created_at"]}}));
  const std::string all = this->grant("alice", "*", 1, 1);
  EXPECT_EQ(json(get("/v1/grants")).size(), 2U);
  const Json listed = json(get("/v1/grants?user_id=alice"));
  ASSERT_EQ(listed.size(), 2U);
  for (const Json& row : listed) {
    if (row["grant_id"] == all) {
      EXPECT_EQ(row["client"], "*");
      EXPECT_EQ(row["client_id"], nullptr);
    } else {
      EXPECT_EQ(row, grant);
    }
  }
  EXPECT_EQ(get("/v1/grants?user_id=_superadmin").body, "[]");
  EXPECT_EQ(refusal(get("/v1/grants?user_id=Bad")), "422 invalid_user_id");
  const Response gone = remove("/v1/grants/" + all);
  EXPECT_EQ(gone.status, 200U);
  EXPECT_EQ(json(gone), (Json{{"grant_id", all}, {"removed_rule_ids", Json::array()}}));
  EXPECT_EQ(refusal(remove("/v1/grants/" + all)), "404 grant_not_found");
}

TEST_F(PeopleApiTest, HTTP_6_3_bodies_of_the_wrong_shape) {
  add_user("alice", store::Role::user);
  const auto add = [&](const char* key, Json value) {
    Json body{{"user_id", "alice"},
              {"client", "*"},
              {"listen_port_start", 1},
              {"listen_port_end", 2},
              {"protocols", Json::array({"tcp"})}};
    body[key] = std::move(value);
    return refusal(post("/v1/grants", body));
  };
  EXPECT_EQ(add("protocols", nullptr), "422 invalid_body");
  EXPECT_EQ(add("protocols", "tcp"), "422 invalid_body");
  EXPECT_EQ(add("protocols", Json::array({1})), "422 invalid_body");
  EXPECT_EQ(add("listen_port_end", 65536), "422 invalid_body");
  EXPECT_EQ(add("note", 1), "422 invalid_body");
  EXPECT_EQ(add("listen_port_start", 0), "422 invalid_port_range");
  EXPECT_EQ(add("protocols", Json::array()), "422 empty_protocol_set");
  EXPECT_EQ(add("protocols", Json::array({"TCP"})), "422 empty_protocol_set");
  EXPECT_EQ(add("client", "Bad"), "422 invalid_client");
  EXPECT_EQ(add("client", "01J00000000000000000000009"), "404 client_not_found");
  EXPECT_EQ(add("user_id", "_legacy"), "422 reserved_user_id");
  EXPECT_EQ(add("user_id", "_"), "422 reserved_user_id");
  EXPECT_EQ(add("user_id", "bob"), "404 user_not_found");
}

TEST_F(PeopleApiTest, HTTP_5_only_superadmins_see_to_users_and_grants) {
  const std::string alice = add_user("alice", store::Role::user);
  const auto ask = [&](const std::string& method, const std::string& target, const char* body) {
    return refusal(send({.method = method, .target = target, .body = body, .token = alice}));
  };
  EXPECT_EQ(ask("GET", "/v1/users", ""), "403 role_required");
  EXPECT_EQ(ask("GET", "/v1/users/alice", ""), "403 role_required");
  EXPECT_EQ(ask("GET", "/v1/users/Bad", ""), "403 role_required");
  EXPECT_EQ(ask("DELETE", "/v1/users/alice", ""), "403 role_required");
  EXPECT_EQ(ask("POST", "/v1/users", R"({"user_id":"x","display_name":"X"})"), "403 role_required");
  EXPECT_EQ(ask("POST", "/v1/users", "{}"), "422 invalid_body");  // the body comes first
  EXPECT_EQ(ask("GET", "/v1/grants", ""), "403 role_required");
  EXPECT_EQ(ask("DELETE", "/v1/grants/x", ""), "403 role_required");
  EXPECT_EQ(ask("POST", "/v1/grants",
                R"({"user_id":"alice","client":"*","listen_port_start":1,"listen_port_end":2,
                    "protocols":["tcp"]})"),
            "403 role_required");
  EXPECT_EQ(json(get("/v1/users")).size(), 2U);
}

TEST_F(PeopleApiTest, HTTP_4_a_user_pushes_within_one_grant_and_sees_his_own) {
  const std::string alice = add_user("alice", store::Role::user);
  enroll("edge-01");
  enroll("edge-02");
  push(18080);  // the superadmin's
  EXPECT_EQ(get_as(alice, "/v1/clients"), Json::array());
  EXPECT_EQ(refusal(push_as(alice, rule_body(20000))), "403 client_not_granted");
  grant("alice", "edge-01", 20000, 20010);
  grant("alice", "edge-01", 20011, 20020);
  const Response pushed = push_as(alice, rule_body(20000));
  ASSERT_EQ(pushed.status, 201U) << pushed.body;
  EXPECT_EQ(json(pushed)["owner"], "alice");

  const Response outside = push_as(alice, rule_body(19999));
  EXPECT_EQ(refusal(outside), "403 port_outside_grant");
  EXPECT_TRUE(message_of(outside).starts_with("port_outside_grant: ")) << outside.body;
  Json udp = rule_body(20001);
  udp["protocol"] = "udp";
  EXPECT_EQ(refusal(push_as(alice, udp)), "403 protocol_not_granted");
  Json across = rule_body(20010);
  across["listen_port_end"] = 20011;
  across["target_port_end"] = 8444;
  EXPECT_EQ(refusal(push_as(alice, across)), "403 port_outside_grant");
  EXPECT_EQ(refusal(push_as(alice, rule_body(20000, "edge-02"))), "403 client_not_granted");
  EXPECT_EQ(refusal(push_as(alice, rule_body(20000, "edge-77"))), "403 client_not_granted");
  Json bad_host = rule_body(19999);
  bad_host["target_host"] = "a_b";
  EXPECT_EQ(refusal(push_as(alice, bad_host)), "403 port_outside_grant");  // row 11 before 12

  const Json rules = get_as(alice, "/v1/rules?owner=_superadmin");  // not hers to filter by
  ASSERT_EQ(rules.size(), 1U);
  EXPECT_EQ(rules[0]["owner_user_id"], "alice");
  EXPECT_EQ(json(get("/v1/rules")).size(), 2U);
  EXPECT_EQ(json(get("/v1/rules?owner=alice")), rules);
  const Json clients = get_as(alice, "/v1/clients");
  ASSERT_EQ(clients.size(), 1U);
  EXPECT_EQ(clients[0]["client_name"], "edge-01");
  grant("alice", "*", 1, 1);
  EXPECT_EQ(get_as(alice, "/v1/clients").size(), 2U);

  const std::string path = "/v1/rules/" + std::to_string(json(pushed)["rule_id"].get<int>());
  EXPECT_EQ(remove(path, alice).status, 204U);
}

TEST_F(PeopleApiTest, HTTP_4_a_revoked_grant_takes_its_rules_along) {
  const std::string alice = add_user("alice", store::Role::user);
  enroll("edge-01");
  const std::string wide = grant("alice", "edge-01", 20000, 20010);
  grant("alice", "edge-01", 20000, 20000);
  const std::uint64_t kept = json(push_as(alice, rule_body(20000)))["rule_id"];
  const std::uint64_t gone = json(push_as(alice, rule_body(20001)))["rule_id"];
  const Response revoked = remove("/v1/grants/" + wide);
  ASSERT_EQ(revoked.status, 200U) << revoked.body;
  EXPECT_EQ(json(revoked)["removed_rule_ids"], Json::array({gone}));
  EXPECT_EQ(edges_->removed, std::vector<std::uint64_t>{gone});
  const Json rules = json(get("/v1/rules"));
  ASSERT_EQ(rules.size(), 1U);
  EXPECT_EQ(rules[0]["id"], kept);
  EXPECT_EQ(refusal(push_as(alice, rule_body(20001))), "403 port_outside_grant");
}

TEST_F(PeopleApiTest, HTTP_4_a_removed_user_leaves_no_rule_token_or_cap) {
  const std::string alice = add_user("alice", store::Role::user);
  enroll("edge-01");
  const std::string id = grant("alice", "*", 1, 65535, Json::array({"tcp", "udp"}));
  const std::uint64_t rule = json(push_as(alice, rule_body(20000)))["rule_id"];
  const std::string caps = "/v1/clients/edge-01/owners/alice/rate-limit";
  ASSERT_EQ(
      send({.method = "PUT", .target = caps, .body = R"({"concurrent_connections":1})"}).status,
      200U);
  edges_->told.clear();
  const Response removed = remove("/v1/users/alice");
  ASSERT_EQ(removed.status, 200U) << removed.body;
  const Json answer = json(removed);
  EXPECT_EQ(answer["user_id"], "alice");
  EXPECT_EQ(answer["removed_credential_ids"].size(), 1U);
  EXPECT_EQ(answer["revoked_grant_ids"], Json::array({id}));
  EXPECT_EQ(answer["removed_rule_ids"], Json::array({rule}));
  EXPECT_EQ(edges_->removed, std::vector<std::uint64_t>{rule});
  EXPECT_EQ(edges_->told, std::vector<std::string>{"caps alice"});
  EXPECT_EQ(get("/v1/rules").body, "[]");
  EXPECT_EQ(get("/v1/grants").body, "[]");
  EXPECT_EQ(refusal(get(caps)), "404 owner_rate_limit_not_found");
  EXPECT_EQ(refusal(send({.target = "/v1/users/me", .token = alice})), "401 credential_invalid");
  EXPECT_EQ(refusal(remove("/v1/users/alice")), "404 user_not_found");
  EXPECT_EQ(refusal(remove("/v1/users/_superadmin")), "409 cannot_remove_self");
}

TEST_F(PeopleApiTest, HTTP_10_a_grant_makes_a_target_of_a_quota) {
  const std::string alice = add_user("alice", store::Role::user);
  enroll("edge-01");
  const auto put = [&] {
    return send({.method = "PUT",
                 .target = "/v1/users/alice/quotas/edge-01",
                 .body = R"({"monthly_bytes":5})"});
  };
  EXPECT_EQ(refusal(put()), "422 quota_target_not_found");
  const std::string id = grant("alice", "edge-01", 1, 1);
  EXPECT_EQ(put().status, 200U);
  EXPECT_EQ(get_as(alice, "/v1/users/alice/quotas").size(), 1U);
  remove("/v1/grants/" + id);
  EXPECT_EQ(get_as(alice, "/v1/users/alice/quotas").size(), 1U);  // it is a billing record
  EXPECT_EQ(refusal(put()), "422 quota_target_not_found");
}

}  // namespace
}  // namespace portunus::server::http::api
