#include "server/http/response.hpp"

#include <gtest/gtest.h>

namespace portunus::server::http {
namespace {

TEST(ResponseTest, EnvelopeHasTheContractShape) {
  const Response response =
      error_envelope(409, "port_in_use", "port_in_use: port 1 already in use");
  EXPECT_EQ(response.status, 409U);
  EXPECT_EQ(response.header("content-type"), "application/json");
  EXPECT_EQ(response.body,
            R"({"error":{"code":"port_in_use","message":"port_in_use: port 1 already in use"}})");
}

TEST(ResponseTest, EnvelopeSurvivesAnyBytes) {
  const Response response = error_envelope(400, "invalid_name", "\xff\"\n");
  EXPECT_EQ(response.body,
            "{\"error\":{\"code\":\"invalid_name\",\"message\":\"\xEF\xBF\xBD\\\"\\n\"}}");
}

TEST(ResponseTest, NoContentIsBodiless) {
  EXPECT_EQ(no_content().status, 204U);
  EXPECT_TRUE(no_content().body.empty());
}

}  // namespace
}  // namespace portunus::server::http
