#include "common/net/endpoint.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <cstring>
#include <optional>

namespace portunus::net {
namespace {

TEST(Endpoint, reads_and_prints_both_families) {
  EXPECT_EQ(Endpoint::parse("127.0.0.1:80")->text(), "127.0.0.1:80");
  EXPECT_EQ(Endpoint::parse("[::1]:0")->text(), "[::1]:0");
  EXPECT_EQ(Endpoint::parse("[2001:DB8::0:1]:65535")->text(), "[2001:db8::1]:65535");
  EXPECT_EQ(Endpoint::parse("[::1]:1")->family(), AF_INET6);
}

TEST(Endpoint, refuses_everything_else) {
  for (const char* text :
       {"", ":", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:080", "127.0.0.1:-1",
        "127.0.0.1:1 ", "::1:80", "[127.0.0.1]:80", "[::1]80", "name:80", "1.2.3:80", "[]:80"}) {
    EXPECT_FALSE(Endpoint::parse(text)) << text;
  }
  EXPECT_FALSE(IpAddress::parse(std::string_view("127.0.0.1\0", 10)));
}

TEST(Endpoint, survives_the_kernel_form) {
  for (const char* text : {"10.1.2.3:443", "[fe80::1]:7"}) {
    const auto endpoint = *Endpoint::parse(text);
    sockaddr_storage storage;
    endpoint.to_sockaddr(storage);
    EXPECT_EQ(Endpoint::from_sockaddr(storage), endpoint);
  }
}

TEST(Endpoint, TCP_1_mapped_addresses_become_native) {
  sockaddr_in6 mapped{};
  mapped.sin6_family = AF_INET6;
  mapped.sin6_port = htons(5);
  ASSERT_EQ(::inet_pton(AF_INET6, "::ffff:10.0.0.1", &mapped.sin6_addr), 1);
  sockaddr_storage storage{};
  std::memcpy(&storage, &mapped, sizeof mapped);
  EXPECT_EQ(Endpoint::from_sockaddr(storage)->text(), "10.0.0.1:5");
}

TEST(Endpoint, TCP_1_mapped_addresses_cannot_be_written) {
  EXPECT_EQ(IpAddress::parse("::ffff:10.0.0.1"), std::nullopt);
  EXPECT_EQ(IpAddress::parse("::FFFF:0a00:0001"), std::nullopt);
  EXPECT_EQ(Endpoint::parse("[::ffff:10.0.0.1]:80"), std::nullopt);
  EXPECT_TRUE(IpAddress::parse("::ffff:0:10.0.0.1").has_value()) << "no mapped one";
}

TEST(Endpoint, knows_loopback) {
  EXPECT_TRUE(IpAddress::parse("127.9.9.9")->is_loopback());
  EXPECT_TRUE(IpAddress::parse("::1")->is_loopback());
  EXPECT_FALSE(IpAddress::parse("128.0.0.1")->is_loopback());
  EXPECT_FALSE(IpAddress::any_v6().is_loopback());
}

TEST(Port, has_no_sign_zero_or_leading_zero) {
  EXPECT_EQ(parse_port("65535"), 65535);
  EXPECT_EQ(parse_port("0", true), 0);
  for (const char* text : {"", "0", "00", "01", "65536", "+1", "1a", "99999999999"}) {
    EXPECT_FALSE(parse_port(text)) << text;
  }
}

}  // namespace
}  // namespace portunus::net
