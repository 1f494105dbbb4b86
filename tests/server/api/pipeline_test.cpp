#include <gtest/gtest.h>

#include "server/http/api/error_map.hpp"
#include "tests/server/api/api_fixture.hpp"
#include "tests/support/log_capture.hpp"

namespace portunus::server::http::api {
namespace {

TEST_F(ApiTest, WithoutASuperadminEverythingProtectedIsUnavailable) {
  EXPECT_EQ(refusal(get("/v1/users/me")), "503 bootstrap_required");
  EXPECT_EQ(refusal(send({.target = "/v1/users/me", .token = "x"})), "503 bootstrap_required");
  EXPECT_EQ(
      refusal(send({.target = "/v1/users/me", .headers = {{"Cookie", "portunus_session=x"}}})),
      "503 bootstrap_required");
}

TEST_F(ApiTest, AuthenticationFailsInItsOrder) {
  bootstrap();
  EXPECT_EQ(refusal(send({.target = "/v1/users/me", .token = ""})), "401 unauthenticated");
  EXPECT_EQ(refusal(send({.target = "/v1/users/me",
                          .token = "",
                          .headers = {{"Authorization", "bearer " + token_}}})),
            "401 unauthenticated");
  EXPECT_EQ(refusal(send({.target = "/v1/users/me", .token = "unknown"})),
            "401 credential_invalid");
  EXPECT_EQ(refusal(send({.target = "/v1/users/me", .token = std::string(257, 'x')})),
            "401 credential_invalid");
  const std::string disabled = add_user("off", store::Role::user, true);
  EXPECT_EQ(refusal(send({.target = "/v1/users/me", .token = disabled})), "401 user_disabled");
}

TEST_F(ApiTest, ABadSessionCookieIsNeverRescuedByAGoodBearer) {
  bootstrap();
  EXPECT_EQ(
      refusal(send({.target = "/v1/users/me", .headers = {{"Cookie", "a=b; portunus_session=x"}}})),
      "401 credential_invalid");
  EXPECT_EQ(send({.target = "/v1/users/me", .headers = {{"Cookie", "xportunus_session=x"}}}).status,
            200U);
}

TEST_F(ApiTest, MeIsTheCaller) {
  bootstrap();
  EXPECT_EQ(json(get("/v1/users/me")),
            (Json{{"user_id", "_superadmin"}, {"role", "superadmin"}, {"display_name", "Ops"}}));
  const std::string alice = add_user("alice", store::Role::user);
  EXPECT_EQ(json(send({.target = "/v1/users/me", .token = alice})),
            (Json{{"user_id", "alice"}, {"role", "user"}, {"display_name", "alice"}}));
}

TEST_F(ApiTest, EveryAnswerBelowV1IsNotStored) {
  bootstrap();
  for (const char* target : {"/v1/users/me", "/v1/nothing", "/v1/metrics"}) {
    EXPECT_EQ(get(target).header("cache-control"), "no-store") << target;
  }
  EXPECT_EQ(send({.target = "/v1/users/me", .token = ""}).header("cache-control"), "no-store");
}

TEST_F(ApiTest, HTTP_16_TheDescriptionIsPublic) {
  const Response document = send({.target = "/v1/openapi.json", .token = ""});
  EXPECT_EQ(document.status, 200U);
  EXPECT_EQ(document.header("content-type"), "application/json");
  EXPECT_EQ(document.header("cache-control"), "no-store");
  const Json described = json(document);
  EXPECT_EQ(described["openapi"], "3.1.0");
  EXPECT_TRUE(described["paths"].contains("/v1/rules/{rule_id}"));
  bootstrap();
  EXPECT_EQ(send({.method = "HEAD", .target = "/v1/openapi.json", .token = "unknown"}).status,
            200U);
  const Response posted = send({.method = "POST", .target = "/v1/openapi.json"});
  EXPECT_EQ(refusal(posted), "405 method_not_allowed");
  EXPECT_EQ(posted.header("allow"), "GET, HEAD");
}

TEST_F(ApiTest, RoutesThatDoNotExistAreNotFound) {
  bootstrap();
  for (const char* target :
       {"/v1/", "/v1/nothing", "/v1/auth/nothing", "/v1/traffic/nothing",
        "/v1/clients/edge-01/reissue", "/v1/rules/7/nothing", "/v1/clients/%zz"}) {
    EXPECT_EQ(refusal(get(target)), "404 not_found") << target;
    EXPECT_EQ(refusal(send({.method = "POST", .target = target, .token = ""})), "404 not_found");
  }
}

TEST_F(ApiTest, AKnownPathIsAuthenticatedBeforeItsMethod) {
  bootstrap();
  EXPECT_EQ(refusal(send({.method = "POST", .target = "/v1/clients", .token = ""})),
            "401 unauthenticated");
  const Response wrong = send({.method = "POST", .target = "/v1/clients"});
  EXPECT_EQ(refusal(wrong), "405 method_not_allowed");
  EXPECT_EQ(wrong.header("allow"), "GET, HEAD");
  EXPECT_EQ(refusal(get("/v1/rules/7")), "405 method_not_allowed");
  EXPECT_EQ(get("/v1/rules/7").header("allow"), "PUT, DELETE");
  EXPECT_EQ(refusal(send({.method = "OPTIONS", .target = "/v1/rules"})), "405 method_not_allowed");
  EXPECT_EQ(refusal(send({.method = "BREW", .target = "/v1/rules"})), "405 method_not_allowed");
}

TEST_F(ApiTest, ABodyIsReadOnlyAfterAuthenticationAndMethod) {
  bootstrap();
  send({.method = "POST", .target = "/v1/rules", .body = "{}", .token = ""});
  EXPECT_EQ(body_reads_, 0);
  send({.method = "PUT", .target = "/v1/rules", .body = "{}"});
  EXPECT_EQ(body_reads_, 0);
  send({.method = "POST", .target = "/v1/rules", .body = "{}"});
  EXPECT_EQ(body_reads_, 1);
  send({.method = "DELETE", .target = "/v1/rules/7", .body = "no json"});
  EXPECT_EQ(body_reads_, 0);
}

TEST_F(ApiTest, BodiesAreJudgedInOrder) {
  bootstrap();
  const auto with_type = [&](const char* type, const char* body) {
    return refusal(send({.method = "POST",
                         .target = "/v1/client-enrollments",
                         .body = body,
                         .headers = {{"Content-Type", type}}}));
  };
  EXPECT_EQ(refusal(send({.method = "POST", .target = "/v1/client-enrollments"})),
            "415 unsupported_media_type");
  EXPECT_EQ(with_type("text/plain", "{}"), "415 unsupported_media_type");
  EXPECT_EQ(with_type("application/jsonx", "{}"), "415 unsupported_media_type");
  EXPECT_EQ(with_type("application/json; charset=utf-8", ""), "400 invalid_json");
  EXPECT_EQ(with_type("Application/JSON", "{}"), "422 invalid_body");
  EXPECT_EQ(with_type("application/vnd.x+json", "{}"), "422 invalid_body");
  EXPECT_EQ(refusal(send({.method = "POST",
                          .target = "/v1/client-enrollments",
                          .body = "",
                          .body_fault = Error(http::Errc::body_too_large)})),
            "413 payload_too_large");
  EXPECT_EQ(refusal(send({.method = "POST",
                          .target = "/v1/client-enrollments",
                          .body = "",
                          .body_fault = Error(http::Errc::body_malformed)})),
            "400 invalid_json");
}

TEST_F(ApiTest, DecodingComesBeforeTheRole) {
  bootstrap();
  const std::string alice = add_user("alice", store::Role::user);
  const auto as_alice = [&](const char* method, const char* target, const char* body) {
    return refusal(send({.method = method, .target = target, .body = body, .token = alice}));
  };
  EXPECT_EQ(as_alice("POST", "/v1/client-enrollments", "{"), "400 invalid_json");
  EXPECT_EQ(as_alice("POST", "/v1/client-enrollments", "{}"), "422 invalid_body");
  EXPECT_EQ(as_alice("POST", "/v1/client-enrollments", R"({"name":"Bad Name"})"),
            "403 role_required");
  EXPECT_EQ(as_alice("POST", "/v1/clients/x/enrollment", "{}"), "403 role_required");
  EXPECT_EQ(as_alice("PUT", "/v1/clients/x", R"({"address":"a"})"), "403 role_required");
  EXPECT_EQ(as_alice("PATCH", "/v1/clients/x/name", R"({"client_name":"a"})"), "403 role_required");
  EXPECT_EQ(as_alice("DELETE", "/v1/clients/x", ""), "403 role_required");
  EXPECT_EQ(as_alice("POST", "/v1/clients/x/revoke", ""), "403 role_required");
  EXPECT_EQ(as_alice("GET", "/v1/metrics", ""), "403 role_required");
}

TEST_F(ApiTest, OutsideV1IsTheStubPage) {
  for (const char* target : {"/", "/index.html", "/metrics", "/v1", "/users"}) {
    const Response page = get(target);
    EXPECT_EQ(page.status, 200U) << target;
    EXPECT_EQ(page.header("content-type"), "text/html; charset=utf-8");
    EXPECT_EQ(page.header("x-frame-options"), "DENY");
    EXPECT_EQ(page.header("cache-control"), "public, max-age=0, must-revalidate");
  }
}

TEST_F(ApiTest, EachRequestIsLoggedAndCountedOnce) {
  bootstrap();
  const std::string alice = add_user("alice", store::Role::user);
  const test::LogCapture log;
  get("/v1/users/me");
  get("/v1/rules/7/stats");
  send({.target = "/v1/users/me?token=abc", .token = ""});
  send({.target = "/v1/metrics", .token = alice});
  get("/v1/nothing");
  get("/");

  EXPECT_EQ(log.count("operator.allow"), 2U);
  EXPECT_EQ(log.count("operator.allow",
                      {R"("level":"DEBUG")", R"("path":"/v1/users/me")", R"("actor":"_superadmin")",
                       R"("role":"superadmin")", R"("method":"GET")", R"("auth_method":"bearer")"}),
            1U);
  EXPECT_EQ(log.count("operator.allow", {R"("level":"INFO")", "/v1/rules/7/stats"}), 1U);
  EXPECT_EQ(log.count("operator.deny"), 2U);
  EXPECT_EQ(
      log.count("operator.deny", {R"("level":"WARN")", R"("actor":"_anonymous")",
                                  R"("reason":"unauthenticated")", R"("path":"/v1/users/me")"}),
      1U);
  EXPECT_EQ(log.count("operator.deny", {R"("actor":"alice")", R"("reason":"role_required")",
                                        R"("auth_method":"bearer")"}),
            1U);
  for (const std::string& line : log.lines()) {
    EXPECT_EQ(line.find(token_), std::string::npos) << line;
    EXPECT_EQ(line.find("abc"), std::string::npos) << line;
  }
  const auto& counts = metrics_->requests().counts();
  EXPECT_EQ(counts.at({"allow", "ok"}), 2U);
  EXPECT_EQ(counts.at({"deny", "unauthenticated"}), 1U);
  EXPECT_EQ(counts.at({"deny", "role_required"}), 1U);
  EXPECT_EQ(counts.size(), 3U);
}

TEST_F(ApiTest, HTTP_1_a_route_that_throws_is_answered_and_recorded_like_any_fault) {
  bootstrap();
  const test::LogCapture log;
  const auto ask = [&](const char* path) {
    return send({.method = "POST", .target = path, .body = "{}", .body_throws = true});
  };
  for (const char* path : {"/v1/client-enrollments", "/v1/auth/login"}) {
    const Response answer = ask(path);
    EXPECT_EQ(refusal(answer), "500 internal") << path;
    EXPECT_EQ(message_of(answer), "internal") << path;
    EXPECT_EQ(answer.header("cache-control"), "no-store") << path;
  }
  EXPECT_EQ(log.count("operator.allow", {R"("path":"/v1/client-enrollments")"}), 1U);
  EXPECT_EQ(metrics_->requests().counts().at({"allow", "ok"}), 1U);
}

TEST_F(ApiTest, AStoreFaultIsAnAnswerWithoutItsText) {
  bootstrap();
  const test::LogCapture log;
  store_->close();
  const Response refused = get("/v1/clients");
  EXPECT_EQ(refusal(refused), "500 store_error");
  EXPECT_EQ(message_of(refused), "store_error");
  EXPECT_EQ(log.count("operator.store_error"), 1U);
}

}  // namespace
}  // namespace portunus::server::http::api
