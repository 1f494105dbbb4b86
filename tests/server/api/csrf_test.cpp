#include "server/http/api/csrf.hpp"

#include <gtest/gtest.h>

#include "server/http/api/errc.hpp"

namespace portunus::server::http::api {
namespace {

const WebOrigin kByHost{};
const WebOrigin kPublic{"https://console.example.com"};

std::string verdict(std::vector<Header> headers, const WebOrigin& origin = kByHost) {
  Request request;
  request.method = Method::post;
  request.headers = std::move(headers);
  request.headers.push_back({"Host", "console.example.com:7080"});
  const auto done = check_csrf(request, origin);
  return done ? "passes" : done.error().code.message();
}

const Header kOrigin{"Origin", "http://console.example.com:7080"};
const Header kMark{"X-Portunus-CSRF", "1"};

TEST(Csrf, HTTP_3_4_the_first_fault_answers) {
  EXPECT_EQ(verdict({{"Content-Length", "5"}}), "csrf_origin_required");
  EXPECT_EQ(verdict({{"Origin", "http://evil.example"}, {"Content-Length", "5"}}),
            "csrf_origin_mismatch");
  EXPECT_EQ(verdict({kOrigin, {"Content-Length", "5"}}), "csrf_header_required");
  EXPECT_EQ(verdict({kOrigin, kMark, {"Content-Length", "5"}}), "csrf_content_type_required");
  EXPECT_EQ(
      verdict({kOrigin, kMark, {"Content-Length", "5"}, {"Content-Type", "application/json"}}),
      "passes");
  EXPECT_EQ(verdict({kOrigin, kMark}), "passes");
}

TEST(Csrf, HTTP_3_4_without_a_public_origin_the_host_is_compared) {
  for (const char* good : {"http://console.example.com:7080", "https://console.example.com:7080"}) {
    EXPECT_EQ(verdict({{"Origin", good}, kMark}), "passes") << good;
  }
  for (const char* bad :
       {"", "null", "console.example.com:7080", "http://console.example.com",
        "http://console.example.com:7081", "http://console.example.com:7080/", "ftp://x",
        "http://http://console.example.com:7080", "http://", "HTTP://console.example.com:7080"}) {
    EXPECT_EQ(verdict({{"Origin", bad}, kMark}), "csrf_origin_mismatch") << bad;
  }
}

TEST(Csrf, HTTP_3_4_a_public_origin_is_compared_exactly) {
  EXPECT_EQ(verdict({{"Origin", "https://console.example.com"}, kMark}, kPublic), "passes");
  for (const char* bad : {"http://console.example.com", "https://console.example.com:443",
                          "https://console.example.com/", "https://CONSOLE.example.com",
                          "http://console.example.com:7080", "https://console.example.com.evil"}) {
    EXPECT_EQ(verdict({{"Origin", bad}, kMark}, kPublic), "csrf_origin_mismatch") << bad;
  }
}

TEST(Csrf, HTTP_3_4_the_header_must_be_1) {
  for (const char* bad : {"", "0", "2", "true", "11", "1, 1"}) {
    EXPECT_EQ(verdict({kOrigin, {"X-Portunus-CSRF", bad}}), "csrf_header_required") << bad;
  }
  EXPECT_EQ(verdict({kOrigin, {"x-portunus-csrf", "1"}}), "passes");
}

TEST(Csrf, HTTP_3_4_an_announced_body_must_be_json) {
  for (const Header& announced :
       {Header{"Content-Length", "1"}, Header{"Content-Length", "010"},
        Header{"Transfer-Encoding", "chunked"}, Header{"Transfer-Encoding", "identity"}}) {
    EXPECT_EQ(verdict({kOrigin, kMark, announced}), "csrf_content_type_required");
    for (const char* bad : {"", "text/plain", "application/vnd.x+json", "application/jsonx",
                            "application/x-www-form-urlencoded", "multipart/form-data"}) {
      EXPECT_EQ(verdict({kOrigin, kMark, announced, {"Content-Type", bad}}),
                "csrf_content_type_required")
          << bad;
    }
    for (const char* good :
         {"application/json", "Application/JSON", "application/json; charset=utf-8"}) {
      EXPECT_EQ(verdict({kOrigin, kMark, announced, {"Content-Type", good}}), "passes") << good;
    }
  }
  for (const char* nothing : {"0", "00"}) {
    EXPECT_EQ(verdict({kOrigin, kMark, {"Content-Length", nothing}}), "passes") << nothing;
  }
}

TEST(Csrf, HTTP_3_3_cookies_are_secure_exactly_on_https) {
  EXPECT_TRUE(kPublic.secure());
  EXPECT_FALSE(WebOrigin{"http://console.example.com"}.secure());
  EXPECT_FALSE(kByHost.secure());
}

TEST(Csrf, HTTP_3_4_only_methods_that_change_something_are_checked) {
  for (const Method method : {Method::post, Method::put, Method::patch, Method::del}) {
    EXPECT_TRUE(may_change(method)) << method_name(method);
  }
  for (const Method method : {Method::get, Method::head, Method::options, Method::other}) {
    EXPECT_FALSE(may_change(method)) << method_name(method);
  }
}

}  // namespace
}  // namespace portunus::server::http::api
