#include <array>

#include "common/log/logger.hpp"
#include "tests/server/api/api_fixture.hpp"
#include "tests/support/log_capture.hpp"

// The audit log as the API writes and shows it (http-api 12).

namespace portunus::server::http::api {
namespace {

class AuditApiTest : public ApiTest {
 protected:
  /// Waits for what was handed over, and looks into the store: newest first.
  std::vector<store::AuditRow> rows() {
    io_.run_until([&] { return audit_->lag() == std::chrono::steady_clock::duration::zero(); });
    return store_->read_now([](store::Connection& c) { return store::list_audit(c, {}, {}, 1000); })
        .value();
  }
  /// "deny GET /v1/rules alice user role_required", "-" for what is not there; the oldest first.
  std::vector<std::string> written() {
    std::vector<std::string> out;
    for (const store::AuditRow& row : rows()) {
      const std::string outcome = row.outcome == store::AuditOutcome::deny ? "deny" : "allow";
      out.insert(out.begin(), outcome + " " + row.method + " " + row.path + " " + row.actor + " " +
                                  row.role.value_or("-") + " " + row.reason.value_or("-"));
    }
    return out;
  }
  void forget() {
    rows();
    ASSERT_TRUE(store_->write_now(
        [](store::Connection& c) { return store::remove_audit_beyond(c, 0, 1'000'000); }));
  }
  void insert(store::AuditRow row) {
    ASSERT_TRUE(store_->write_now(
        [&](store::Connection& c) { return store::insert_audit(c, std::array{row}); }));
  }
  /// An entry without anything that may be left out, seconds after 2023-11-14T22:13:20Z.
  static store::AuditRow entry(int seconds, std::string path = "/v1/rules") {
    store::AuditRow row;
    row.at = SystemTime(std::chrono::seconds(1'700'000'000 + seconds));
    row.actor = "alice";
    row.method = "POST";
    row.path = std::move(path);
    return row;
  }
};

using Rows = std::vector<std::string>;

TEST_F(AuditApiTest, HTTP_12_BeforeAuthenticationTheActorIsAnonymousWithoutRole) {
  get("/v1/users/me");
  bootstrap();
  send({.target = "/v1/rules?client=query", .token = ""});
  send({.method = "DELETE", .target = "/v1/rules/1", .token = "unknown"});
  send({.target = "/v1/users/me", .token = add_user("off", store::Role::user, true)});
  EXPECT_EQ(written(), (Rows{
                           "deny GET /v1/users/me _anonymous - bootstrap_required",
                           "deny GET /v1/rules _anonymous - unauthenticated",
                           "deny DELETE /v1/rules/1 _anonymous - credential_invalid",
                           "deny GET /v1/users/me _anonymous - user_disabled",
                       }));
}

TEST_F(AuditApiTest, HTTP_12_DenialsDecidedInsideARouteHaveTheirCodeAsReason) {
  bootstrap();
  enroll("edge-01");
  const std::uint64_t rule = push(18080);
  const std::string alice = add_user("alice", store::Role::user);
  forget();
  const std::string path = "/v1/rules/" + std::to_string(rule);
  send({.target = "/v1/metrics", .token = alice});
  send({.method = "DELETE", .target = path, .token = alice});
  send({.target = path + "/stats", .token = alice});
  send({.target = "/v1/users/bob/quotas", .token = alice});
  send({.method = "POST", .target = "/v1/rules", .body = rule_body(1).dump(), .token = alice});
  EXPECT_EQ(written(), (Rows{
                           "deny GET /v1/metrics alice user role_required",
                           "deny DELETE " + path + " alice user not_owner",
                           "deny GET " + path + "/stats alice user not_owner",
                           "deny GET /v1/users/bob/quotas alice user not_owner",
                           "deny POST /v1/rules alice user client_not_granted",
                       }));
}

TEST_F(AuditApiTest, HTTP_12_ChangesAreAllowedAndSuccessfulReadsLeaveNoRow) {
  bootstrap();
  enroll("edge-01");
  forget();
  const std::uint64_t rule = push(18080);
  for (const char* target : {"/v1/users/me", "/v1/rules", "/v1/clients", "/v1/audit"}) {
    EXPECT_EQ(get(target).status, 200U) << target;
    EXPECT_EQ(send({.method = "HEAD", .target = target}).status, 200U) << target;
  }
  const std::string path = "/v1/rules/" + std::to_string(rule);
  EXPECT_EQ(send({.method = "DELETE", .target = path}).status, 204U);
  EXPECT_EQ(written(), (Rows{
                           "allow POST /v1/rules _superadmin superadmin -",
                           "allow DELETE " + path + " _superadmin superadmin -",
                       }));
}

TEST_F(AuditApiTest, HTTP_6_1_AResetOfAPasswordLeavesItsCountsAndNoSecret) {
  bootstrap();
  add_user("alice", store::Role::user);
  forget();
  EXPECT_EQ(post("/v1/users/alice/password", {{"new_password", kPassword}}).status, 200U);
  EXPECT_EQ(written(), (Rows{
                           "allow  operator.password_reset _superadmin superadmin -",
                           "allow POST /v1/users/alice/password _superadmin superadmin -",
                       }));
  const store::AuditRow event = rows().back();
  EXPECT_EQ(event.action, "operator.password_reset");
  EXPECT_EQ(event.resource_kind, "user");
  EXPECT_EQ(event.resource_value, "alice");
  EXPECT_EQ(event.details,
            R"({"sessions_revoked":0,"api_tokens_revoked":1,"temporary_password_generated":false,)"
            R"("password_change_required":false,"api_tokens_kept":false})");
}

TEST_F(AuditApiTest, HTTP_12_TheCallsBeforeAuthenticationLeaveNoRow) {
  bootstrap();
  add_user("alice", store::Role::user);
  set_password("alice", true);
  forget();
  EXPECT_EQ(get("/v1/auth/status").status, 200U);
  post("/v1/auth/login", {{"user_id", "alice"}, {"password", "not the password"}});
  const Response in = post("/v1/auth/login", {{"user_id", "alice"}, {"password", kPassword}});
  ASSERT_EQ(in.status, 200U) << in.body;
  EXPECT_EQ(written(), Rows{});
  // From here on the cookie says who it is, whatever refuses him.
  const std::string text(in.header("set-cookie").value_or(""));
  const Header cookie{"Cookie", text.substr(0, text.find(';'))};
  send({.target = "/v1/rules", .headers = {cookie}});
  send({.method = "POST", .target = "/v1/rules", .headers = {cookie}});
  EXPECT_EQ(written(), (Rows{
                           "deny GET /v1/rules alice user password_change_required",
                           "deny POST /v1/rules alice user csrf_origin_required",
                       }));
}

TEST_F(AuditApiTest, HTTP_12_RefusalsThatChangeNothingLeaveNoRow) {
  bootstrap();
  get("/v1/nothing");
  get("/");
  send({.method = "PUT", .target = "/v1/rules"});
  send({.method = "POST", .target = "/v1/rules", .body = "{"});
  send({.method = "DELETE", .target = "/v1/rules/999"});
  get("/v1/rules/999/stats");
  post("/v1/rules", rule_body(18080));  // client_not_connected
  EXPECT_EQ(written(), Rows{});
}

TEST_F(AuditApiTest, HTTP_12_RefusalsBehindWhichAChangeStaysAreChanges) {
  bootstrap();
  enroll("edge-01");
  const std::uint64_t listed = push(list_body(18070));
  forget();
  edges_->answer = FakeEdges::Answer{rules::Outcome::failed, "x"};
  EXPECT_EQ(refusal(post("/v1/rules", rule_body(18080))), "422 activation_failed");
  edges_->answer.reset();
  Json silent = rule_body(18081);
  silent["ack_timeout_secs"] = 0;
  EXPECT_EQ(refusal(post("/v1/rules", silent)), "504 ack_timeout");
  edges_->accepts = false;
  // Never stored: the edge was gone before the rule was sent.
  EXPECT_EQ(refusal(post("/v1/rules", rule_body(18082))), "422 client_not_connected");
  // Stored: the new caps.
  Json capped = list_body(18070);
  capped["rate_limit"] = {{"concurrent_connections", 1}};
  const std::string path = "/v1/rules/" + std::to_string(listed);
  EXPECT_EQ(refusal(send({.method = "PUT", .target = path, .body = capped.dump()})),
            "422 client_not_connected");
  EXPECT_EQ(written(), (Rows{
                           "allow POST /v1/rules _superadmin superadmin -",
                           "allow POST /v1/rules _superadmin superadmin -",
                           "allow PUT " + path + " _superadmin superadmin -",
                       }));
}

TEST_F(AuditApiTest, HTTP_12_NoSecretAndNoQueryIsRecordedAndStrangersCannotFillTheDisk) {
  bootstrap();
  const std::string wrong = "wrong-" + token_;
  send({.target = "/v1/rules?token=" + token_, .token = wrong});
  send({.method = std::string(500, 'M'), .target = "/v1/rules", .token = wrong});
  send({.target = "/v1/rules/" + std::string(5000, 'x') + "/stats", .token = wrong});
  const auto all = rows();
  ASSERT_EQ(all.size(), 3U);
  for (const store::AuditRow& row : all) {
    EXPECT_EQ(row.path.find(token_), std::string::npos);
    EXPECT_LE(row.path.size(), 1024U);
    EXPECT_LE(row.method.size(), 32U);
    EXPECT_EQ(row.details, std::nullopt);
  }
}

TEST_F(AuditApiTest, HTTP_12_NoRequestWaitsForOrFailsWithTheAuditLog) {
  bootstrap();
  audit_->request_stop();
  io_.run(audit_->drain(std::chrono::seconds(5)));
  EXPECT_EQ(refusal(send({.target = "/v1/rules", .token = ""})), "401 unauthenticated");
  EXPECT_EQ(audit_->drops(), 1U);
}

TEST_F(AuditApiTest, HTTP_12_WithoutTimesAndCursorTheAnswerIsABareArray) {
  bootstrap();
  store::AuditRow denied = entry(1);
  denied.role = "user";
  denied.outcome = store::AuditOutcome::deny;
  denied.reason = "port_outside_grant";
  insert(denied);
  insert(entry(0));
  const Response answer = get("/v1/audit?limit=5");
  EXPECT_EQ(answer.status, 200U);
  EXPECT_EQ(answer.body, R"([{"timestamp":"2023-11-14T22:13:21Z","actor":"alice","role":"user",)"
                         R"("method":"POST","path":"/v1/rules","outcome":"deny",)"
                         R"("reason":"port_outside_grant"},)"
                         R"({"timestamp":"2023-11-14T22:13:20Z","actor":"alice","method":"POST",)"
                         R"("path":"/v1/rules","outcome":"allow"}])");
  EXPECT_EQ(json(get("/v1/audit?outcome=deny")).size(), 1U);
  EXPECT_EQ(json(get("/v1/audit?limit=1")).size(), 1U);
}

TEST_F(AuditApiTest, HTTP_12_EventRowsShowTheirActionResourceAndDetails) {
  bootstrap();
  store::AuditRow event = entry(0, "operator.password_reset");
  event.method.clear();
  event.role = "superadmin";
  event.action = "operator.password_reset";
  event.resource_kind = "user";
  event.resource_value = "alice";
  event.details = R"({"sessions_revoked":1,"temporary_password_generated":false})";
  insert(event);
  store::AuditRow odd = entry(1);
  odd.details = "no object";
  insert(odd);
  const Json list = json(get("/v1/audit"));
  ASSERT_EQ(list.size(), 2U);
  EXPECT_FALSE(list[0].contains("details"));
  EXPECT_EQ(
      list[1],
      (Json{{"timestamp", "2023-11-14T22:13:20Z"},
            {"actor", "alice"},
            {"role", "superadmin"},
            {"method", ""},
            {"path", "operator.password_reset"},
            {"outcome", "allow"},
            {"action", "operator.password_reset"},
            {"resource_kind", "user"},
            {"resource_value", "alice"},
            {"details", {{"sessions_revoked", 1}, {"temporary_password_generated", false}}}}));
}

TEST_F(AuditApiTest, HTTP_12_AnyOfTimesAndCursorMakesAnEnvelope) {
  bootstrap();
  for (int i = 0; i < 3; ++i) insert(entry(i));
  const Json first = json(get("/v1/audit?limit=2&since=2023-11-14T22:13:20Z"));
  EXPECT_EQ(first["entries"].size(), 2U);
  EXPECT_EQ(first["count"], 2);
  EXPECT_EQ(first["next_cursor"], "Mg");  // sequence 2
  const Json last = json(get("/v1/audit?limit=2&since=2023-11-14T22:13:20Z&cursor=Mg"));
  EXPECT_EQ(last["entries"].size(), 1U);
  EXPECT_EQ(last["count"], 1);
  EXPECT_FALSE(last.contains("next_cursor"));
  const Json none = json(get("/v1/audit?until=2000-01-01T00:00:00Z"));
  EXPECT_EQ(none, (Json{{"entries", Json::array()}, {"count", 0}}));
  EXPECT_EQ(json(get("/v1/audit?cursor=Mg"))["count"], 1);
}

TEST_F(AuditApiTest, HTTP_12_IsForSuperadminsAndDecodesBeforeItAsks) {
  bootstrap();
  const std::string alice = add_user("alice", store::Role::user);
  const auto as_alice = [&](const char* target) {
    return refusal(send({.target = target, .token = alice}));
  };
  EXPECT_EQ(as_alice("/v1/audit"), "403 role_required");
  EXPECT_EQ(as_alice("/v1/audit?limit=0"), "403 role_required");
  EXPECT_EQ(as_alice("/v1/audit?limit=abc"), "400 invalid_query");
  EXPECT_EQ(as_alice("/v1/audit?limit=%"), "400 invalid_query");
  EXPECT_EQ(refusal(send({.method = "POST", .target = "/v1/audit"})), "405 method_not_allowed");
}

TEST_F(AuditApiTest, HTTP_12_ErrorsInOrder) {
  bootstrap();
  EXPECT_EQ(refusal(get("/v1/audit?limit=")), "400 invalid_query");
  EXPECT_EQ(refusal(get("/v1/audit?limit=1.5&outcome=x")), "400 invalid_query");
  for (const char* limit : {"0", "-1", "1001", "99999999999999999999"}) {
    EXPECT_EQ(refusal(get(std::string("/v1/audit?outcome=x&limit=") + limit)), "422 invalid_limit")
        << limit;
  }
  EXPECT_EQ(refusal(get("/v1/audit?since=x&outcome=x")), "422 invalid_outcome");
  EXPECT_EQ(refusal(get("/v1/audit?cursor=!&since=x")), "400 invalid_timestamp");
  EXPECT_EQ(
      refusal(get("/v1/audit?cursor=!&since=2023-11-14T00:00:01Z&until=2023-11-14T00:00:00Z")),
      "400 invalid_time_range");
  EXPECT_EQ(refusal(get("/v1/audit?cursor=!")), "400 invalid_cursor");
}

TEST_F(AuditApiTest, OBS_7_NoLogEventEverReachesTheAuditLog) {
  bootstrap();
  const std::string before = get("/v1/audit").body;
  const test::LogCapture log;
  for (std::size_t i = 0; i < log::kEvents.size(); ++i) log::log(static_cast<log::Event>(i));
  EXPECT_EQ(log.lines().size(), log::kEvents.size());
  EXPECT_TRUE(rows().empty());
  EXPECT_EQ(get("/v1/audit").body, before);
}

TEST_F(AuditApiTest, OBS_8_TheMetricsShowLossAndLag) {
  bootstrap();
  audit_->request_stop();
  io_.run(audit_->drain(std::chrono::seconds(5)));
  send({.target = "/v1/rules", .token = ""});
  const std::string text = get("/v1/metrics").body;
  EXPECT_NE(text.find("\nportunus_audit_buffer_drops_total 1\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\nportunus_audit_durable_writer_lag_seconds 0\n"), std::string::npos);
}

}  // namespace
}  // namespace portunus::server::http::api
