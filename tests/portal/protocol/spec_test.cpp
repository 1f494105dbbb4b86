#include "portal/protocol/spec.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "common/base/hex.hpp"
#include "portal/protocol/auth_frame.hpp"
#include "portal/protocol/errc.hpp"
#include "portal/protocol/tcp_request.hpp"
#include "tests/portal/protocol/vectors.hpp"

namespace portunus::portal::protocol {
namespace {

TEST(PortalSpec, S7_derives_what_the_vectors_say) {
  for (const Vector& vector : kVectors) {
    SCOPED_TRACE(vector.spec);
    const auto spec = Spec::derive(vector.spec);
    ASSERT_TRUE(spec);
    EXPECT_EQ(spec->text(), vector.spec);
    EXPECT_EQ(spec->id(), vector.id);
    EXPECT_EQ(hex_encode(spec->magic()), vector.magic);
    EXPECT_EQ(spec->auth_order(), vector.auth_order);
    EXPECT_EQ(spec->tcp_order(), vector.tcp_order);
    EXPECT_EQ(spec->udp_order(), vector.udp_order);
    EXPECT_EQ(spec->auth_pad_len(), vector.auth_pad);
    EXPECT_EQ(spec->tcp_pad_len(), vector.tcp_pad);
    EXPECT_EQ(spec->auth_frame_size(), 73 + vector.auth_pad);
  }
}

TEST(PortalSpec, S7_more_frames_by_their_digest) {
  for (const DigestVector& vector : kDigestVectors) {
    SCOPED_TRACE(vector.spec);
    const auto spec = Spec::derive(vector.spec);
    ASSERT_TRUE(spec);
    EXPECT_EQ(spec->id(), vector.id);
    EXPECT_EQ(spec->auth_pad_len(), vector.auth_pad);
    EXPECT_EQ(spec->tcp_pad_len(), vector.tcp_pad);
    Nonce nonce;
    nonce.fill(7);
    EXPECT_EQ(hex_encode(crypto::sha256(encode_auth_frame(*spec, AuthKey("secret"), nonce))),
              vector.auth_sha256);
    EXPECT_EQ(hex_encode(crypto::sha256(*encode_tcp_request(*spec, "example.com:443"))),
              vector.tcp_sha256);
  }
}

TEST(PortalSpec, S5_an_empty_spec_is_auto) {
  const auto omitted = Spec::derive("");
  const auto spelt = Spec::derive("auto");
  ASSERT_TRUE(omitted && spelt);
  EXPECT_EQ(omitted->text(), "auto");
  EXPECT_EQ(omitted->id(), spelt->id());
}

TEST(PortalSpec, S5_takes_255_bytes_of_utf8_and_no_more) {
  EXPECT_TRUE(Spec::derive(std::string(255, 'x')));
  EXPECT_EQ(Spec::derive(std::string(256, 'x')).error(), make_error_code(Errc::bad_spec));
  EXPECT_EQ(Spec::derive("caf\xe9").error(), make_error_code(Errc::bad_spec));
}

TEST(PortalSpec, S5_the_start_order_of_authentication_is_rotated) {
  const std::array<std::uint8_t, 3> identity = {3, 2, 1};
  EXPECT_EQ(auth_order_from(identity),
            (AuthOrder{AuthField::nonce, AuthField::padding, AuthField::tag, AuthField::magic}));
  // The other layouts stay as they fall.
  constexpr TcpOrder kTcp = {TcpField::version, TcpField::target, TcpField::padding};
  const std::array<std::uint8_t, 2> tcp_identity = {2, 1};
  EXPECT_EQ(shuffled(kTcp, tcp_identity, 0), kTcp);
}

// Every layout there is can be drawn, and none twice under another name.
TEST(PortalSpec, S5_lengths_and_layouts_over_many_specs) {
  bool shortest = false, longest = false, no_tcp_pad = false, full_tcp_pad = false;
  for (int i = 0; i < 3000; ++i) {
    const auto spec = Spec::derive("s" + std::to_string(i));
    ASSERT_TRUE(spec);
    ASSERT_GE(spec->auth_pad_len(), 1);
    ASSERT_LE(spec->tcp_pad_len(), 63);
    ASSERT_NE(spec->auth_order(),
              (AuthOrder{AuthField::magic, AuthField::nonce, AuthField::padding, AuthField::tag}));
    shortest |= spec->auth_frame_size() == 74;
    longest |= spec->auth_frame_size() == 328;
    no_tcp_pad |= spec->tcp_pad_len() == 0;
    full_tcp_pad |= spec->tcp_pad_len() == 63;
  }
  EXPECT_TRUE(shortest && longest && no_tcp_pad && full_tcp_pad);
}

}  // namespace
}  // namespace portunus::portal::protocol
