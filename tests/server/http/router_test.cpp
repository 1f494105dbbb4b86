#include "server/http/router.hpp"

#include <gtest/gtest.h>

namespace portunus::server::http {
namespace {

Router make_router() {
  Router router;
  router.add(Method::get, "/v1/users/{user_id}", 1);
  router.add(Method::del, "/v1/users/{user_id}", 2);
  router.add(Method::get, "/v1/users/me", 3);
  router.add(Method::get, "/v1/rules", 4);
  router.add(Method::post, "/v1/rules", 5);
  router.add(Method::get, "/v1/rules/{rule_id}/stats", 6);
  return router;
}

TEST(RouterTest, FindsTheRouteOfAMethod) {
  const auto match = make_router().match(Method::post, "/v1/rules");
  EXPECT_EQ(match.outcome, Router::Outcome::found);
  EXPECT_EQ(match.route, 5U);
}

TEST(RouterTest, LiteralSegmentsWinOverParams) {
  const auto me = make_router().match(Method::get, "/v1/users/me");
  EXPECT_EQ(me.route, 3U);
  const auto other = make_router().match(Method::get, "/v1/users/mel");
  EXPECT_EQ(other.route, 1U);
  EXPECT_EQ(other.params.get("user_id"), "mel");
}

TEST(RouterTest, HeadGoesWhereGetGoes) {
  const auto match = make_router().match(Method::head, "/v1/rules");
  EXPECT_EQ(match.outcome, Router::Outcome::found);
  EXPECT_EQ(match.route, 4U);
}

TEST(RouterTest, AnotherMethodNamesTheAllowedOnes) {
  const auto match = make_router().match(Method::put, "/v1/rules");
  EXPECT_EQ(match.outcome, Router::Outcome::method_not_allowed);
  EXPECT_EQ(match.allow, "GET, HEAD, POST");
  const auto options = make_router().match(Method::options, "/v1/users/x");
  EXPECT_EQ(options.outcome, Router::Outcome::method_not_allowed);
  EXPECT_EQ(options.allow, "GET, HEAD, DELETE");
  EXPECT_EQ(make_router().match(Method::other, "/v1/rules").outcome,
            Router::Outcome::method_not_allowed);
}

TEST(RouterTest, UnknownPathsAreNotFound) {
  for (const char* path : {"/", "/v1", "/v1/", "/v1/rules/", "/v1/rules/7", "/v1/rules/7/stats/x",
                           "/v1/rules//stats", "v1", "", "*", "/v1/users/"}) {
    EXPECT_EQ(make_router().match(Method::get, path).outcome, Router::Outcome::not_found) << path;
  }
}

TEST(RouterTest, SegmentsAreDecodedAfterSplitting) {
  const auto match = make_router().match(Method::get, "/v1/users/a%2Fb%20c");
  EXPECT_EQ(match.outcome, Router::Outcome::found);
  EXPECT_EQ(match.params.get("user_id"), "a/b c");
  EXPECT_EQ(make_router().match(Method::get, "/v1/%72ules").route, 4U);
}

TEST(RouterTest, BrokenEscapesAreNotFound) {
  for (const char* path : {"/v1/users/%", "/v1/users/%4", "/v1/users/%zz"}) {
    EXPECT_EQ(make_router().match(Method::get, path).outcome, Router::Outcome::not_found) << path;
  }
}

}  // namespace
}  // namespace portunus::server::http
