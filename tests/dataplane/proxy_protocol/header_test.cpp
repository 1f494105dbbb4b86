#include "dataplane/proxy_protocol/header.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace portunus::dataplane::proxy_protocol {
namespace {

using model::ProxyVersion;
using std::string_view_literals::operator""sv;

net::Endpoint at(std::string_view text) {
  return net::Endpoint::parse(text).value();
}

std::string encoded(ProxyVersion version, std::string_view source, std::string_view destination) {
  const auto header = encode(version, at(source), at(destination));
  if (!header) return "none";
  return {reinterpret_cast<const char*>(header->bytes().data()), header->bytes().size()};
}
std::optional<Decoded> decoded(std::string_view bytes) {
  return decode(std::as_bytes(std::span(bytes)));
}

constexpr auto kSignature = "\x0D\x0A\x0D\x0A\x00\x0D\x0A\x51\x55\x49\x54\x0A"sv;

TEST(Header, PP_1_v1_is_one_line_of_text) {
  EXPECT_EQ(encoded(ProxyVersion::v1, "192.0.2.1:56324", "198.51.100.7:443"),
            "PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n");
  EXPECT_EQ(encoded(ProxyVersion::v1, "0.0.0.0:0", "255.255.255.255:65535"),
            "PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n");
  EXPECT_EQ(encoded(ProxyVersion::v1, "[2001:DB8:0:0::1]:9", "[::1]:65535"),
            "PROXY TCP6 2001:db8::1 ::1 9 65535\r\n");
}

TEST(Header, PP_1_v2_over_ipv4_is_28_bytes) {
  const std::string got = encoded(ProxyVersion::v2, "192.0.2.1:56324", "198.51.100.7:443");
  EXPECT_EQ(got, std::string(kSignature) + std::string("\x21\x11\x00\x0C"
                                                       "\xC0\x00\x02\x01"
                                                       "\xC6\x33\x64\x07"
                                                       "\xDC\x04\x01\xBB"sv));
  EXPECT_EQ(got.size(), 28u);
}

TEST(Header, PP_1_v2_over_ipv6_is_52_bytes) {
  const std::string got = encoded(ProxyVersion::v2, "[2001:db8::1]:256", "[fe80::ff]:1");
  EXPECT_EQ(got, std::string(kSignature) + std::string("\x21\x21\x00\x24"
                                                       "\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x01"
                                                       "\xFE\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\xFF"
                                                       "\x01\x00\x00\x01"sv));
  EXPECT_EQ(got.size(), 52u);
}

TEST(Header, PP_1_a_family_mismatch_makes_no_header) {
  for (const auto version : {ProxyVersion::v1, ProxyVersion::v2}) {
    EXPECT_EQ(encoded(version, "192.0.2.1:1", "[::1]:2"), "none");
    EXPECT_EQ(encoded(version, "[::1]:2", "192.0.2.1:1"), "none");
  }
}

TEST(Header, PP_1_the_longest_addresses_fit) {
  const std::string_view longest = "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535";
  EXPECT_EQ(encoded(ProxyVersion::v1, longest, longest).size(), 104u);
  // The longest text there is has a dotted tail; it occurs only with leading zeroes, so 107 holds.
  const std::string_view dotted = "[::255.255.255.255]:65535";
  EXPECT_LE(encoded(ProxyVersion::v1, dotted, dotted).size(), kMaxHeader);
}

TEST(Header, PP_1_both_versions_survive_the_round_trip_and_no_prefix_is_taken) {
  for (const auto version : {ProxyVersion::v1, ProxyVersion::v2}) {
    for (const auto& [source, destination] : {std::pair{"10.1.2.3:1"sv, "127.0.0.1:65535"sv},
                                              std::pair{"[::1]:0"sv, "[ff02::1]:80"sv}}) {
      const std::string header = encoded(version, source, destination);
      const auto got = decoded(header + "payload");
      ASSERT_TRUE(got);
      EXPECT_EQ(got->version, version);
      EXPECT_EQ(got->source, at(source));
      EXPECT_EQ(got->destination, at(destination));
      EXPECT_EQ(got->size, header.size());
      for (std::size_t size = 0; size < header.size(); ++size) {
        EXPECT_FALSE(decoded(std::string_view(header).substr(0, size))) << size;
      }
    }
  }
}

TEST(Header, PP_1_the_decoder_refuses_what_the_encoder_never_writes) {
  EXPECT_FALSE(decoded("PROXY UNKNOWN\r\n"));
  EXPECT_FALSE(decoded("PROXY TCP4 192.0.2.1 198.51.100.7 56324\r\n"));
  EXPECT_FALSE(decoded("PROXY TCP4 192.0.2.1 198.51.100.7 56324 443 1\r\n"));
  EXPECT_FALSE(decoded("PROXY TCP4 192.0.2.1 198.51.100.7 99999 443\r\n"));
  EXPECT_FALSE(decoded("PROXY TCP6 192.0.2.1 198.51.100.7 1 443\r\n"));
  EXPECT_FALSE(decoded("PROXY TCP4 ::1 ::1 1 443\r\n"));
  EXPECT_FALSE(decoded("GET / HTTP/1.1\r\n\r\n"));
  const std::string local = std::string(kSignature) + std::string("\x20\x00\x00\x00"sv);
  EXPECT_FALSE(decoded(local));
  const std::string udp =
      std::string(kSignature) + std::string("\x21\x12\x00\x0C\1\2\3\4\5\6\7\x08\1\2\3\4"sv);
  EXPECT_FALSE(decoded(udp));
  const std::string too_short =
      std::string(kSignature) + std::string("\x21\x11\x00\x0B"sv) + std::string(11, 'x');
  EXPECT_FALSE(decoded(too_short));
}

}  // namespace
}  // namespace portunus::dataplane::proxy_protocol
