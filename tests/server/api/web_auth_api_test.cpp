#include "server/web_auth/setup_token.hpp"
#include "tests/server/api/api_fixture.hpp"
#include "tests/support/log_capture.hpp"

namespace portunus::server::http::api {
namespace {

/// The API as a browser uses it.
class WebAuthApiTest : public ApiTest {
 protected:
  static constexpr auto kNew = "a much better password";

  /// An admin and alice, both with kPassword.
  void people() {
    add_user("admin", store::Role::superadmin);
    add_user("alice", store::Role::user);
    set_password("admin");
    set_password("alice");
    token_ = "";  // whatever follows names its credentials
  }
  Response log_in(const std::string& user, const std::string& password = kPassword) {
    return send({.method = "POST",
                 .target = "/v1/auth/login",
                 .body = Json{{"user_id", user}, {"password", password}}.dump()});
  }
  /// "portunus_session=<secret>" of a login.
  std::string cookie_of(const Response& response) {
    const std::string text(response.header("set-cookie").value_or(""));
    return text.substr(0, text.find(';'));
  }
  std::string session(const std::string& user) {
    const Response done = log_in(user);
    EXPECT_EQ(done.status, 200U) << done.body;
    return cookie_of(done);
  }
  Response browse(const std::string& cookie, const std::string& target) {
    return send({.target = target, .headers = {{"Cookie", cookie}}});
  }
  /// As the console sends changes.
  Response submit(const std::string& cookie, const std::string& method, const std::string& target,
                  std::optional<std::string> body = std::nullopt) {
    std::vector<Header> headers = {
        {"Cookie", cookie}, {"Origin", "http://d.example.com:7080"}, {"X-Portunus-CSRF", "1"}};
    if (body) headers.push_back({"Content-Length", std::to_string(body->size())});
    return send({.method = method, .target = target, .body = body, .headers = headers});
  }
  Response submit_json(const std::string& cookie, const std::string& target, const Json& body) {
    return submit(cookie, "POST", target, body.dump());
  }
  Response log_out(const std::string& cookie) { return submit(cookie, "POST", "/v1/auth/logout"); }
  std::string setup_token() {
    return web_auth::rotate_setup_token(*store_, clock_).value().value().reveal();
  }
  static Json onboarding(const std::string& token) {
    return {{"user_id", "root"},
            {"display_name", "Root"},
            {"password", kPassword},
            {"password_confirm", kPassword},
            {"setup_token", token}};
  }
  Response onboard(const Json& body) { return post("/v1/auth/onboarding", body); }
};

TEST_F(WebAuthApiTest, HTTP_5_1_status) {
  EXPECT_EQ(get("/v1/auth/status").body, R"({"onboarding_required":true})");
  people();
  const Response status = get("/v1/auth/status");
  EXPECT_EQ(status.body, R"({"onboarding_required":false})");
  EXPECT_EQ(status.header("cache-control"), "no-store");
}

TEST_F(WebAuthApiTest, HTTP_5_1_onboarding) {
  const std::string token = setup_token();
  const Response made = onboard(onboarding(token));
  EXPECT_EQ(made.status, 201U);
  EXPECT_EQ(json(made),
            (Json{{"user_id", "root"}, {"display_name", "Root"}, {"role", "superadmin"}}));
  EXPECT_EQ(made.header("set-cookie"), std::nullopt) << "no session";
  EXPECT_EQ(refusal(onboard(onboarding(token))), "409 already_bootstrapped");
  EXPECT_EQ(log_in("root").status, 200U);
}

TEST_F(WebAuthApiTest, HTTP_5_1_onboarding_refusals) {
  Json body = onboarding("");
  EXPECT_EQ(refusal(onboard(body)), "401 setup_token_required");
  body.erase("setup_token");
  EXPECT_EQ(refusal(onboard(body)), "401 setup_token_required");
  body["setup_token"] = nullptr;
  EXPECT_EQ(refusal(onboard(body)), "401 setup_token_required");
  body["setup_token"] = "x";
  EXPECT_EQ(refusal(onboard(body)), "401 setup_token_invalid");
  for (const char* key : {"user_id", "display_name", "password", "password_confirm"}) {
    Json without = onboarding("x");
    without.erase(key);
    EXPECT_EQ(refusal(onboard(without)), "422 invalid_body") << key;
  }
  EXPECT_EQ(refusal(send({.method = "POST", .target = "/v1/auth/onboarding", .body = "{"})),
            "400 invalid_json");
}

TEST_F(WebAuthApiTest, HTTP_5_1_login_sets_the_cookie) {
  people();
  const Response done = log_in("alice");
  EXPECT_EQ(done.status, 200U);
  EXPECT_EQ(done.body, R"({"password_change_required":false})");
  const std::string cookie(done.header("set-cookie").value_or(""));
  EXPECT_TRUE(cookie.starts_with("portunus_session=")) << cookie;
  EXPECT_TRUE(cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax; Max-Age=604800")) << cookie;
  EXPECT_EQ(cookie_of(done).size(), std::string("portunus_session=").size() + 43);
  const Response me = browse(cookie_of(done), "/v1/users/me");
  EXPECT_EQ(json(me)["user_id"], "alice");
  EXPECT_EQ(me.header("set-cookie"), std::nullopt) << "it is never sent again";
}

TEST_F(WebAuthApiTest, HTTP_3_3_secure_on_an_https_origin) {
  people();
  api_ = make_api(*clients_, {"https://console.example.com"});
  const std::string cookie(log_in("alice").header("set-cookie").value_or(""));
  EXPECT_TRUE(cookie.ends_with("; Max-Age=604800; Secure")) << cookie;
  const std::string session = cookie.substr(0, cookie.find(';'));
  const auto log_out_from = [&](const char* origin) {
    return send({.method = "POST",
                 .target = "/v1/auth/logout",
                 .headers = {{"Cookie", session}, {"Origin", origin}, {"X-Portunus-CSRF", "1"}}});
  };
  EXPECT_EQ(refusal(log_out_from("http://d.example.com:7080")), "403 csrf_origin_mismatch");
  const Response done = log_out_from("https://console.example.com");
  EXPECT_EQ(done.status, 204U);
  EXPECT_EQ(done.header("set-cookie"),
            "portunus_session=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0; Secure");
}

TEST_F(WebAuthApiTest, HTTP_5_1_login_refusals) {
  people();
  const Response refused = log_in("alice", "not the password");
  EXPECT_EQ(refusal(refused), "401 invalid_login");
  EXPECT_EQ(refused.header("set-cookie"), std::nullopt);
  EXPECT_EQ(refusal(log_in("nobody")), "401 invalid_login");
  EXPECT_EQ(refusal(post("/v1/auth/login", {{"user_id", "alice"}})), "422 invalid_body");
  EXPECT_EQ(refusal(post("/v1/auth/login", {{"user_id", 5}, {"password", "x"}})),
            "422 invalid_body");
  EXPECT_EQ(refusal(send({.method = "POST", .target = "/v1/auth/login"})),
            "415 unsupported_media_type");
}

TEST_F(WebAuthApiTest, HTTP_5_1_login_ignores_an_authorization_header) {
  people();
  const Response done = send({.method = "POST",
                              .target = "/v1/auth/login",
                              .body = Json{{"user_id", "alice"}, {"password", kPassword}}.dump(),
                              .token = "nonsense"});
  EXPECT_EQ(done.status, 200U);
}

TEST_F(WebAuthApiTest, HTTP_3_5_the_sixth_failure_is_told_to_wait) {
  people();
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(refusal(log_in("alice", "not the password")), "401 invalid_login");
  }
  const Response refused = log_in("alice");
  EXPECT_EQ(refusal(refused), "429 rate_limited");
  const int wait = std::stoi(std::string(refused.header("retry-after").value_or("0")));
  EXPECT_GE(wait, 50);
  EXPECT_LE(wait, 60);
}

TEST_F(WebAuthApiTest, HTTP_5_1_logout) {
  people();
  const std::string cookie = session("alice");
  const std::string other = session("alice");
  const Response done = log_out(cookie);
  EXPECT_EQ(done.status, 204U);
  EXPECT_EQ(done.body, "");
  EXPECT_EQ(done.header("set-cookie"),
            "portunus_session=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0");
  EXPECT_EQ(refusal(browse(cookie, "/v1/users/me")), "401 credential_invalid");
  EXPECT_EQ(browse(other, "/v1/users/me").status, 200U);
}

TEST_F(WebAuthApiTest, HTTP_5_1_logout_refusals_in_order) {
  people();
  const auto ask = [&](std::vector<Header> headers) {
    return refusal(
        send({.method = "POST", .target = "/v1/auth/logout", .headers = std::move(headers)}));
  };
  const Header bad{"Cookie", "portunus_session=bad"};
  const Header origin{"Origin", "http://d.example.com:7080"};
  EXPECT_EQ(ask({}), "401 unauthenticated");
  EXPECT_EQ(ask({bad}), "403 csrf_origin_required");
  EXPECT_EQ(ask({bad, {"Origin", "http://evil.example"}}), "403 csrf_origin_mismatch");
  EXPECT_EQ(ask({bad, origin}), "403 csrf_header_required");
  EXPECT_EQ(ask({bad, origin, {"X-Portunus-CSRF", "1"}}), "401 credential_invalid");
  // Refused by CSRF, the session is as it was.
  const std::string cookie = session("alice");
  EXPECT_EQ(ask({{"Cookie", cookie}, origin}), "403 csrf_header_required");
  EXPECT_EQ(browse(cookie, "/v1/users/me").status, 200U);
}

TEST_F(WebAuthApiTest, the_auth_calls_have_their_methods_and_need_no_pipeline) {
  for (const char* target : {"/v1/auth/onboarding", "/v1/auth/login", "/v1/auth/logout"}) {
    const Response wrong = get(target);
    EXPECT_EQ(refusal(wrong), "405 method_not_allowed") << target;
    EXPECT_EQ(wrong.header("allow"), "POST");
  }
  const Response wrong = send({.method = "POST", .target = "/v1/auth/status", .token = ""});
  EXPECT_EQ(refusal(wrong), "405 method_not_allowed");
  EXPECT_EQ(wrong.header("allow"), "GET, HEAD");
}

TEST_F(WebAuthApiTest, HTTP_3_1_a_cookie_decides_alone) {
  people();
  const auto ask = [&](const std::string& cookie, const std::string& token) {
    return send({.target = "/v1/users/me", .token = token, .headers = {{"Cookie", cookie}}});
  };
  EXPECT_EQ(refusal(ask("portunus_session=bad", "admin-token")), "401 credential_invalid");
  EXPECT_EQ(refusal(ask("portunus_session=", "admin-token")), "401 credential_invalid");
  EXPECT_EQ(json(ask(session("alice"), "admin-token"))["user_id"], "alice");
  EXPECT_EQ(json(ask("other=x", "admin-token"))["user_id"], "admin");
}

TEST_F(WebAuthApiTest, HTTP_3_4_changes_by_a_session_are_checked) {
  people();
  const std::string cookie = session("admin");
  const Header origin{"Origin", "http://d.example.com:7080"};
  const Header mark{"X-Portunus-CSRF", "1"};
  const auto ask = [&](const char* method, const char* target, std::vector<Header> headers) {
    headers.push_back({"Cookie", cookie});
    return refusal(send({.method = method, .target = target, .headers = std::move(headers)}));
  };
  const std::pair<const char*, const char*> changes[] = {{"POST", "/v1/rules"},
                                                         {"PUT", "/v1/rules/7"},
                                                         {"PATCH", "/v1/clients/x/name"},
                                                         {"DELETE", "/v1/rules/7"}};
  for (const auto& [method, target] : changes) {
    EXPECT_EQ(ask(method, target, {}), "403 csrf_origin_required") << method;
    EXPECT_EQ(ask(method, target, {{"Origin", "http://x"}}), "403 csrf_origin_mismatch") << method;
    EXPECT_EQ(ask(method, target, {origin}), "403 csrf_header_required") << method;
    EXPECT_EQ(ask(method, target, {origin, mark, {"Transfer-Encoding", "chunked"}}),
              "403 csrf_content_type_required")
        << method;
  }
  EXPECT_EQ(ask("DELETE", "/v1/rules/7", {origin, mark}), "404 rule_not_found");
  // Before the method is judged, as all of the pipeline.
  EXPECT_EQ(ask("PATCH", "/v1/rules", {}), "403 csrf_origin_required");
  EXPECT_EQ(browse(cookie, "/v1/rules").status, 200U) << "reads are exempt";
  EXPECT_EQ(refusal(send({.method = "DELETE", .target = "/v1/rules/7", .token = "admin-token"})),
            "404 rule_not_found")
      << "tokens are exempt";
}

TEST_F(WebAuthApiTest, HTTP_3_7_forced_change) {
  people();
  set_password("alice", true);
  const Response in = log_in("alice");
  EXPECT_EQ(in.body, R"({"password_change_required":true})");
  const std::string cookie = cookie_of(in);
  EXPECT_EQ(browse(cookie, "/v1/users/me").status, 200U);
  EXPECT_EQ(
      send({.method = "HEAD", .target = "/v1/users/me", .headers = {{"Cookie", cookie}}}).status,
      200U);
  for (const char* target : {"/v1/rules", "/v1/clients", "/v1/metrics"}) {
    EXPECT_EQ(refusal(browse(cookie, target)), "403 password_change_required") << target;
  }
  EXPECT_EQ(refusal(submit_json(cookie, "/v1/rules", rule_body(80))),
            "403 password_change_required");
  EXPECT_EQ(refusal(submit(cookie, "PUT", "/v1/users/me")), "403 password_change_required");
  EXPECT_EQ(refusal(submit_json(cookie, "/v1/users/alice/password", Json::object())),
            "403 password_change_required");
  // CSRF comes first.
  EXPECT_EQ(
      refusal(send({.method = "POST", .target = "/v1/rules", .headers = {{"Cookie", cookie}}})),
      "403 csrf_origin_required");
  EXPECT_EQ(send({.target = "/v1/rules", .token = "alice-token"}).status, 200U)
      << "tokens are not limited";

  EXPECT_EQ(
      submit_json(
          cookie, "/v1/users/me/password",
          {{"current_password", kPassword}, {"new_password", kNew}, {"new_password_confirm", kNew}})
          .status,
      204U);
  EXPECT_EQ(browse(cookie, "/v1/rules").status, 200U) << "the same session is free";
}

TEST_F(WebAuthApiTest, HTTP_3_7_logout_is_open_during_a_forced_change) {
  people();
  set_password("alice", true);
  EXPECT_EQ(log_out(session("alice")).status, 204U);
}

TEST_F(WebAuthApiTest, HTTP_6_1_own_password) {
  people();
  const auto answer = [&](const Json& body) {
    return send({.method = "POST",
                 .target = "/v1/users/me/password",
                 .body = body.dump(),
                 .token = "alice-token"});
  };
  const auto change = [&](const Json& body) { return refusal(answer(body)); };
  Json body = {{"current_password", "wrong password"},
               {"new_password", "short"},
               {"new_password_confirm", "other"}};
  EXPECT_EQ(change(body), "422 password_mismatch");
  body["new_password_confirm"] = "short";
  EXPECT_EQ(change(body), "401 invalid_login");
  body["current_password"] = kPassword;
  EXPECT_EQ(change(body), "422 password_too_short");
  body["new_password"] = body["new_password_confirm"] = std::string(1025, 'x');
  EXPECT_EQ(change(body), "422 password_too_long");
  body["current_password"] = "wrong password";
  for (int more = 0; more < 4; ++more) EXPECT_EQ(change(body), "401 invalid_login");
  body["current_password"] = kPassword;
  const Response locked = answer(body);
  EXPECT_EQ(refusal(locked), "429 rate_limited");
  EXPECT_EQ(locked.header("retry-after"), "60");
  body.erase("current_password");
  EXPECT_EQ(change(body), "422 invalid_body");
}

TEST_F(WebAuthApiTest, HTTP_6_1_reset_by_an_administrator) {
  people();
  const std::string cookie = session("alice");
  const auto reset = [&](const std::string& user, const Json& body, const char* token) {
    return send({.method = "POST",
                 .target = "/v1/users/" + user + "/password",
                 .body = body.dump(),
                 .token = token});
  };
  EXPECT_EQ(refusal(reset("alice", Json::object(), "alice-token")), "403 role_required");
  EXPECT_EQ(refusal(reset("Bad!", Json::object(), "admin-token")), "422 invalid_user_id");
  EXPECT_EQ(refusal(reset("nobody", Json::object(), "admin-token")), "404 user_not_found");
  EXPECT_EQ(refusal(reset("alice", {{"new_password", "short"}}, "admin-token")),
            "422 password_too_short");
  EXPECT_EQ(refusal(reset("alice", {{"keep_api_tokens", "yes"}}, "admin-token")),
            "422 invalid_body");
  EXPECT_EQ(json(reset("alice", {{"new_password", kNew}}, "admin-token")),
            (Json{{"user_id", "alice"}, {"sessions_revoked", 1}, {"api_tokens_revoked", 1}}));
  EXPECT_EQ(refusal(browse(cookie, "/v1/users/me")), "401 credential_invalid");

  const Json generated = json(reset("alice", Json::object(), "admin-token"));
  EXPECT_EQ(generated.size(), 4U);
  EXPECT_EQ(log_in("alice", generated["temporary_password"]).body,
            R"({"password_change_required":true})");
}

TEST_F(WebAuthApiTest, OBS_2_and_8_sessions_in_log_and_metrics) {
  people();
  const std::string cookie = session("alice");
  const test::LogCapture log;
  browse(cookie, "/v1/users/me");
  send({.method = "POST", .target = "/v1/rules", .headers = {{"Cookie", cookie}}});
  EXPECT_EQ(log.count("operator.allow", {R"("actor":"alice")", R"("auth_method":"cookie")"}), 1U);
  EXPECT_EQ(log.count("operator.deny", {R"("actor":"alice")", R"("reason":"csrf_origin_required")",
                                        R"("auth_method":"cookie")", R"("level":"WARN")"}),
            1U);
  const auto& counts = metrics_->requests().counts();
  EXPECT_EQ(counts.at({"allow", "ok"}), 1U);
  EXPECT_EQ(counts.at({"deny", "csrf_origin_required"}), 1U);
  for (const std::string& line : log.lines()) {
    EXPECT_EQ(line.find(cookie.substr(cookie.find('=') + 1)), std::string::npos) << line;
  }
}

TEST_F(WebAuthApiTest, OBS_2_of_the_auth_calls_only_a_logout_has_an_auth_method) {
  const Json first = onboarding(setup_token());
  const test::LogCapture log;
  // None of these looks at the credentials that come along.
  const auto ask = [&](const char* path, const Json& body) {
    return send({.method = "POST",
                 .target = path,
                 .body = body.dump(),
                 .token = "nonsense",
                 .headers = {{"Cookie", "portunus_session=old"}}})
        .status;
  };
  EXPECT_EQ(ask("/v1/auth/onboarding", onboarding("x")), 401U);
  EXPECT_EQ(ask("/v1/auth/onboarding", first), 201U);
  const Json wrong = {{"user_id", "root"}, {"password", "not the password"}};
  const Json right = {{"user_id", "root"}, {"password", kPassword}};
  EXPECT_EQ(ask("/v1/auth/login", wrong), 401U);
  EXPECT_EQ(ask("/v1/auth/login", right), 200U);
  EXPECT_EQ(send({.method = "POST", .target = "/v1/auth/logout", .token = "nonsense"}).status,
            401U);
  EXPECT_EQ(log.count("operator.deny"), 3U);
  EXPECT_EQ(log.count("operator.allow"), 2U);
  for (const std::string& line : log.lines()) EXPECT_FALSE(line.contains("auth_method")) << line;

  const std::string cookie = session("root");
  EXPECT_EQ(log_out(cookie).status, 204U);
  EXPECT_EQ(refusal(log_out(cookie)), "401 credential_invalid");
  for (const char* event : {"operator.allow", "operator.deny"}) {
    EXPECT_EQ(log.count(event, {R"("path":"/v1/auth/logout")", R"("auth_method":"cookie")"}), 1U)
        << event;
  }
}

TEST_F(WebAuthApiTest, OBS_2_the_auth_calls_are_logged_and_not_counted) {
  people();
  const test::LogCapture log;
  const std::string cookie = session("alice");
  log_in("alice", "not the password");
  log_out(cookie);
  log_out(cookie);
  get("/v1/auth/status");
  EXPECT_EQ(log.count("operator.allow", {R"("actor":"alice")", R"("path":"/v1/auth/login")"}), 1U);
  EXPECT_EQ(log.count("operator.allow", {R"("actor":"alice")", R"("path":"/v1/auth/logout")"}), 1U);
  EXPECT_EQ(log.count("operator.deny", {R"("actor":"_anonymous")", R"("reason":"invalid_login")"}),
            1U);
  EXPECT_EQ(log.count("operator.deny",
                      {R"("path":"/v1/auth/logout")", R"("reason":"credential_invalid")"}),
            1U);
  EXPECT_EQ(log.count("operator.allow"), 2U);
  EXPECT_TRUE(metrics_->requests().counts().empty());
  for (const std::string& line : log.lines()) {
    EXPECT_EQ(line.find("password\""), std::string::npos) << line;
    EXPECT_EQ(line.find(kPassword), std::string::npos) << line;
  }
}

}  // namespace
}  // namespace portunus::server::http::api
