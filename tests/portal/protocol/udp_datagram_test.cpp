#include "portal/protocol/udp_datagram.hpp"

#include <gtest/gtest.h>

#include <string>

#include "common/base/hex.hpp"
#include "portal/protocol/errc.hpp"
#include "tests/portal/protocol/vectors.hpp"

namespace portunus::portal::protocol {
namespace {

constexpr std::uint64_t kFlow = 0x0102030405060708;

Frame datagram(const Spec& spec, DatagramType type, std::string_view target,
               std::string_view payload) {
  Frame out(datagram_header_size(target.size()));
  EXPECT_EQ(encode_datagram_header(spec, type, kFlow, target, out), out.size());
  out.insert(out.end(), payload.begin(), payload.end());
  return out;
}

TEST(PortalUdpDatagram, S7_headers_of_the_vectors) {
  for (const Vector& vector : kVectors) {
    SCOPED_TRACE(vector.spec);
    const auto spec = Spec::derive(vector.spec);
    for (const auto type : {DatagramType::request, DatagramType::response, DatagramType::close}) {
      const Frame sent = datagram(*spec, type, "x.test:53", "abc");
      EXPECT_EQ(hex_encode(sent),
                std::string(vector.udp[static_cast<std::size_t>(type) - 1]) + "616263");
      const auto view = decode_datagram(*spec, sent);
      ASSERT_TRUE(view);
      EXPECT_EQ(view->type, type);
      EXPECT_EQ(view->flow_id, kFlow);
      EXPECT_EQ(view->target, "x.test:53");
      EXPECT_EQ(hex_encode(view->payload), "616263");
    }
  }
}

TEST(PortalUdpDatagram, S6_3_a_payload_may_be_empty_and_a_cut_header_may_not) {
  for (const Vector& vector : kVectors) {
    SCOPED_TRACE(vector.spec);
    const auto spec = Spec::derive(vector.spec);
    const Frame header = *hex_decode(vector.udp[0]);
    ASSERT_TRUE(decode_datagram(*spec, header));
    EXPECT_TRUE(decode_datagram(*spec, header)->payload.empty());
    for (std::size_t size = 0; size < header.size(); ++size) {
      EXPECT_FALSE(decode_datagram(*spec, Bytes(header).first(size))) << size;
    }
    EXPECT_EQ(decode_datagram(*spec, Bytes(header).first(11)).error(),
              make_error_code(Errc::short_datagram));
  }
}

/// Where the wrong field lies in `auto`: version, type, length and target, flow id.
TEST(PortalUdpDatagram, S6_3_what_is_dropped) {
  const auto spec = Spec::derive("auto");
  const auto refused = [&](std::string_view hex) {
    const auto view = decode_datagram(*spec, *hex_decode(hex));
    EXPECT_FALSE(view) << hex;
    return view ? std::error_code() : view.error().code;
  };
  EXPECT_EQ(refused("00010009782e746573743a35330102030405060708"), Errc::bad_version);
  EXPECT_EQ(refused("02010009782e746573743a35330102030405060708"), Errc::bad_version);
  EXPECT_EQ(refused("01000009782e746573743a35330102030405060708"), Errc::bad_datagram_type);
  EXPECT_EQ(refused("01040009782e746573743a35330102030405060708"), Errc::bad_datagram_type);
  EXPECT_EQ(refused("01ff0009782e746573743a35330102030405060708"), Errc::bad_datagram_type);
  EXPECT_EQ(refused("010100000102030405060708"), Errc::bad_target_length);
  EXPECT_EQ(refused("0101ffff782e746573743a35330102030405060708"), Errc::short_datagram);
  EXPECT_EQ(refused("01010011782e746573743a35330102030405060708"), Errc::short_datagram);
  EXPECT_EQ(refused("01010009782e746573742d35330102030405060708"), Errc::bad_target);
  EXPECT_EQ(refused(""), Errc::short_datagram);
  const std::string over = std::string(511, 'h') + ":1";
  EXPECT_EQ(decode_datagram(*spec, datagram(*spec, DatagramType::request, over, "")).error().code,
            Errc::bad_target_length);
  const std::string longest = std::string(510, 'h') + ":1";
  EXPECT_TRUE(decode_datagram(*spec, datagram(*spec, DatagramType::request, longest, "")));
}

TEST(PortalUdpDatagram, S6_3_targets_are_kept_byte_for_byte) {
  const auto spec = Spec::derive("x");
  const Frame sent = datagram(*spec, DatagramType::request, "X.Test:053", "p");
  const auto view = decode_datagram(*spec, sent);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->target, "X.Test:053");
}

}  // namespace
}  // namespace portunus::portal::protocol
