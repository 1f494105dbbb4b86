#include "portal/config/start_line.hpp"

#include <gtest/gtest.h>

#include <string>

namespace portunus::portal::config {
namespace {

std::string line(const std::string& url) {
  const auto parsed = PortalUrl::parse(url);
  const auto config = read_portal_config(*parsed);
  EXPECT_TRUE(config) << url;
  return start_line(*config);
}

TEST(PortalStartLine, S3_with_defaults) {
  EXPECT_EQ(line("portal://secret@:2077"),
            "portal::run: starting: portal://"
            ":2077?tls=1&spec=auto&alpn=now/1&net=mix&dial=auto&rate=0&etar=0");
}

TEST(PortalStartLine, S3_effective_decoded_values_and_no_secrets) {
  EXPECT_EQ(line("portal://secret@0.0.0.0:9/p?tls=2&spec=edge%2Ba%0A%7f%25&alpn=caf%C3%A9&net=tcp"
                 "&dial=::FFFF&rate=8&etar=ten&crt=/c.pem&key=/k.pem&log=debug&x=y#f"),
            "portal::run: starting: portal://0.0.0.0:9?tls=2&spec=edge+a%0A%7F%&alpn=caf\xc3\xa9"
            "&net=tcp&dial=::FFFF&rate=8&etar=0");
}

TEST(PortalStartLine, S3_endpoints) {
  const auto endpoint = [](const std::string& host) {
    const std::string text = line("portal://k@" + host);
    const std::size_t start = text.find("://") + 3;
    return text.substr(start, text.find('?') - start);
  };
  EXPECT_EQ(endpoint(":1"), ":1");
  EXPECT_EQ(endpoint("relay.example:1"), "relay.example:1");
  EXPECT_EQ(endpoint("[2001:DB8:0:0:0:0:0:1]:1"), "[2001:db8::1]:1");
  EXPECT_EQ(endpoint("[::]:1"), "[::]:1");
  EXPECT_EQ(endpoint("127.0.0.1:0"), "127.0.0.1:0");
}

}  // namespace
}  // namespace portunus::portal::config
