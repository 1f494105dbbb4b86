// What a reader must put up with: unknown fields, enum numbers and payloads, unpacked lists, any
// order (control-wire sections 2.6 and 3).

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "common/base/hex.hpp"
#include "portunus/v1/control.pb.h"
#include "portunus/v1/enrollment.pb.h"
#include "portunus/v1/stats.pb.h"

namespace portunus {
namespace {

template <class Message>
Message from_hex(std::string_view hex) {
  const auto bytes = hex_decode(hex);
  Message out;
  EXPECT_TRUE(bytes && out.ParseFromArray(bytes->data(), static_cast<int>(bytes->size()))) << hex;
  return out;
}

TEST(WireTolerance, unknown_fields_are_skipped) {
  // Welcome 1 = "1.8.0", then 99 varint, 98 bytes, 97 fixed64, 96 fixed32.
  const auto welcome = from_hex<v1::Welcome>(
      "0a05312e382e30"
      "980605"
      "920602ffff"
      "89060102030405060708"
      "850601020304"
      "183c");
  EXPECT_EQ(welcome.server_version(), "1.8.0");
  EXPECT_EQ(welcome.udp_flow_idle_secs(), 60U);
}

TEST(WireTolerance, unknown_payload_leaves_the_oneof_unset) {
  EXPECT_EQ(from_hex<v1::ServerMessage>("a206020805").payload_case(),
            v1::ServerMessage::kReplayComplete);  // unknown fields inside a known message
  EXPECT_EQ(from_hex<v1::ServerMessage>("aa0600").payload_case(),
            v1::ServerMessage::PAYLOAD_NOT_SET);
  EXPECT_EQ(from_hex<v1::ClientMessage>("aa0600").payload_case(),
            v1::ClientMessage::PAYLOAD_NOT_SET);
}

TEST(WireTolerance, unknown_enum_numbers_are_kept_as_numbers) {
  const auto status = from_hex<v1::RuleStatus>("10071863");
  EXPECT_EQ(status.rule_id(), 7U);
  EXPECT_EQ(static_cast<int>(status.outcome()), 99);
  EXPECT_FALSE(v1::ActivationOutcome_IsValid(status.outcome()));
}

TEST(WireTolerance, repeated_numbers_are_read_packed_and_unpacked) {
  for (const std::string_view hex : {"1a020102", "18011802", "18011a0102"}) {
    const auto hello = from_hex<v1::Hello>(hex);
    ASSERT_EQ(hello.supported_protocols_size(), 2) << hex;
    EXPECT_EQ(hello.supported_protocols(0), v1::TCP);
    EXPECT_EQ(hello.supported_protocols(1), v1::UDP);
  }
  const auto listener = from_hex<v1::SniListenerStats>("200120022203030405");
  ASSERT_EQ(listener.client_hello_peek_bucket_counts_size(), 5);
  EXPECT_EQ(listener.client_hello_peek_bucket_counts(4), 5U);
}

TEST(WireTolerance, fields_are_read_in_any_order) {
  const auto status = from_hex<v1::RuleStatus>("180110070a027231");
  EXPECT_EQ(status.request_id(), "r1");
  EXPECT_EQ(status.rule_id(), 7U);
  EXPECT_EQ(status.outcome(), v1::ACTIVATED);
}

TEST(WireTolerance, D7_D8_a_reader_without_the_additive_fields_skips_them) {
  // EnrollClientRequest knows neither number: it stands for a peer's older Hello and envelope.
  const auto hello = from_hex<v1::EnrollClientRequest>("0a03312e30a206023031");
  EXPECT_EQ(hello.code(), "1.0");
  from_hex<v1::EnrollClientRequest>("a20600");
}

TEST(WireTolerance, presence_of_prefer_ipv6_survives) {
  const auto absent = from_hex<v1::Rule>("0807");
  const auto no = from_hex<v1::Rule>("08074000");
  const auto yes = from_hex<v1::Rule>("08074001");
  EXPECT_FALSE(absent.has_prefer_ipv6());
  EXPECT_TRUE(no.has_prefer_ipv6());
  EXPECT_FALSE(no.prefer_ipv6());
  EXPECT_TRUE(yes.prefer_ipv6());
  EXPECT_EQ(hex_encode(as_bytes(no.SerializeAsString())), "08074000");
}

}  // namespace
}  // namespace portunus
