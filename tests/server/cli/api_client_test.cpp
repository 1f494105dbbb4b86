#include "server/cli/api_client.hpp"

#include <gtest/gtest.h>

#include <chrono>

#include "tests/server/support/http_stub.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/hanging_resolver.hpp"

namespace portunus::server::cli {
namespace {

using namespace std::chrono_literals;
using testing::HttpStub;

int knows_no_name(const char*, const char*, const addrinfo*, addrinfo**) {
  return EAI_NONAME;
}

class ApiClientTest : public ::testing::Test {
 protected:
  test::HangingResolver dead_;

  static std::string error_of(ApiClient::Options options) {
    const auto answer = ApiClient(std::move(options)).send({.target = "/v1/rules", .body = {}});
    return answer ? "" : answer.error();
  }
};

TEST_F(ApiClientTest, CLI_2_1_a_lookup_that_hangs_ends_with_the_connect_timeout) {
  const auto endpoint = ApiEndpoint::parse("center.example:7080");
  ASSERT_TRUE(endpoint);
  EXPECT_EQ(error_of({.endpoint = *endpoint,
                      .token = {},
                      .connect_timeout = 20ms,
                      .total_timeout = 1h,
                      .resolver = &test::HangingResolver::resolve}),
            "resolve center.example: timed out after 20 ms");
  EXPECT_EQ(error_of({.endpoint = *endpoint,
                      .token = {},
                      .connect_timeout = 1h,
                      .total_timeout = 30ms,
                      .resolver = &test::HangingResolver::resolve}),
            "resolve center.example: timed out after 30 ms");
  // Both are given up and still under way: nobody waits for them.
  EXPECT_TRUE(test::eventually([this] { return dead_.asked() == 2; }));
  EXPECT_EQ(dead_.answered(), 0);
}

TEST_F(ApiClientTest, CLI_2_1_a_name_without_an_address_is_said) {
  const auto endpoint = ApiEndpoint::parse("center.example:7080");
  ASSERT_TRUE(endpoint);
  EXPECT_EQ(error_of({.endpoint = *endpoint, .token = {}, .resolver = &knows_no_name}),
            std::string("name resolution failed: center.example: ") + ::gai_strerror(EAI_NONAME));
}

TEST_F(ApiClientTest, CLI_2_1_the_api_is_found_by_name) {
  HttpStub stub(HttpStub::json("200 OK", "[]"));
  const std::string address = stub.endpoint();
  const auto endpoint = ApiEndpoint::parse("localhost" + address.substr(address.find(':')));
  ASSERT_TRUE(endpoint);
  const auto answer =
      ApiClient({.endpoint = *endpoint, .token = {}}).send({.target = "/v1/rules", .body = {}});
  ASSERT_TRUE(answer) << answer.error();
  EXPECT_EQ(answer->body, "[]");
  ASSERT_EQ(stub.requests().size(), 1U);
  EXPECT_NE(stub.requests().front().find("Host: " + endpoint->text + "\r\n"), std::string::npos);
}

TEST_F(ApiClientTest, CLI_2_1_an_address_is_not_looked_up) {
  HttpStub stub(HttpStub::json("200 OK", "[]"));
  const auto endpoint = ApiEndpoint::parse(stub.endpoint());
  ASSERT_TRUE(endpoint);
  EXPECT_EQ(
      error_of({.endpoint = *endpoint, .token = {}, .resolver = &test::HangingResolver::resolve}),
      "");
  EXPECT_EQ(dead_.asked(), 0);
}

}  // namespace
}  // namespace portunus::server::cli
