#include "server/http/api/session_cookie.hpp"

#include <gtest/gtest.h>

namespace portunus::server::http::api {
namespace {

std::optional<std::string> sent(std::vector<std::string> cookies) {
  Request request;
  for (std::string& cookie : cookies) request.headers.push_back({"cookie", std::move(cookie)});
  const auto found = session_cookie(request);
  return found ? std::optional(found->reveal()) : std::nullopt;
}

TEST(SessionCookie, is_found_among_others) {
  EXPECT_EQ(sent({"portunus_session=abc"}), "abc");
  EXPECT_EQ(sent({"a=b; portunus_session=abc; c=d"}), "abc");
  EXPECT_EQ(sent({"a=b;portunus_session=abc ;c=d"}), "abc");
  EXPECT_EQ(sent({"a=b", "portunus_session=abc"}), "abc");
  EXPECT_EQ(sent({";; ;portunus_session=a=b"}), "a=b");
}

TEST(SessionCookie, one_without_a_value_is_sent_all_the_same) {
  EXPECT_EQ(sent({"portunus_session="}), "");
  EXPECT_EQ(sent({"portunus_session=; a=b"}), "");
}

TEST(SessionCookie, other_names_are_none) {
  EXPECT_EQ(sent({}), std::nullopt);
  EXPECT_EQ(sent({"", ";", "xportunus_session=a", "portunus_session", "PORTUNUS_SESSION=a",
                  "a=portunus_session=b", "portunus_session2=a"}),
            std::nullopt);
}

TEST(SessionCookie, the_first_of_several_decides) {
  EXPECT_EQ(sent({"portunus_session=one; portunus_session=two"}), "one");
  EXPECT_EQ(sent({"portunus_session=one", "portunus_session=two"}), "one");
}

TEST(SessionCookie, HTTP_3_3_what_the_browser_is_told) {
  Response response;
  set_session_cookie(response, Secret("abc"), false);
  EXPECT_EQ(response.header("set-cookie"),
            "portunus_session=abc; Path=/; HttpOnly; SameSite=Lax; Max-Age=604800");
  Response secure;
  set_session_cookie(secure, Secret("abc"), true);
  EXPECT_EQ(secure.header("set-cookie"),
            "portunus_session=abc; Path=/; HttpOnly; SameSite=Lax; Max-Age=604800; Secure");
  Response cleared;
  clear_session_cookie(cleared, false);
  EXPECT_EQ(cleared.header("set-cookie"),
            "portunus_session=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0");
  Response cleared_secure;
  clear_session_cookie(cleared_secure, true);
  EXPECT_EQ(cleared_secure.header("set-cookie"),
            "portunus_session=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0; Secure");
}

}  // namespace
}  // namespace portunus::server::http::api
