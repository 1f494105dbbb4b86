#include "portal/protocol/auth_frame.hpp"

#include <gtest/gtest.h>

#include <string>

#include "common/base/hex.hpp"
#include "portal/protocol/errc.hpp"
#include "tests/portal/protocol/vectors.hpp"

namespace portunus::portal::protocol {
namespace {

constexpr auto kRefused = Errc::invalid_auth_frame;

Nonce sevens() {
  Nonce nonce;
  nonce.fill(7);
  return nonce;
}

TEST(PortalAuthFrame, S7_the_key_is_its_digest) {
  EXPECT_EQ(hex_encode(AuthKey("secret").bytes()),
            "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b");
}

TEST(PortalAuthFrame, S7_frames_of_the_vectors) {
  for (const Vector& vector : kVectors) {
    SCOPED_TRACE(vector.spec);
    const auto spec = Spec::derive(vector.spec);
    ASSERT_TRUE(spec);
    const AuthKey key("secret");
    const Frame frame = encode_auth_frame(*spec, key, sevens());
    EXPECT_EQ(hex_encode(frame), vector.auth);
    EXPECT_EQ(frame.size(), spec->auth_frame_size());
    EXPECT_TRUE(verify_auth_frame(*spec, key, frame));
  }
}

TEST(PortalAuthFrame, S6_1_any_changed_bit_is_refused_with_the_one_error) {
  for (const Vector& vector : kVectors) {
    SCOPED_TRACE(vector.spec);
    const auto spec = Spec::derive(vector.spec);
    const AuthKey key("secret");
    Frame frame = encode_auth_frame(*spec, key, sevens());
    for (std::size_t i = 0; i < frame.size(); ++i) {
      for (unsigned bit = 0; bit < 8; ++bit) {
        frame[i] = static_cast<std::uint8_t>(frame[i] ^ (1U << bit));
        const auto verdict = verify_auth_frame(*spec, key, frame);
        ASSERT_FALSE(verdict) << "byte " << i << " bit " << bit;
        ASSERT_EQ(verdict.error(), make_error_code(kRefused));
        ASSERT_EQ(verdict.error().text(),
                  "protocol::crypto::validate_auth_frame: invalid authentication frame");
        frame[i] = static_cast<std::uint8_t>(frame[i] ^ (1U << bit));
      }
    }
    EXPECT_TRUE(verify_auth_frame(*spec, key, frame));
  }
}

TEST(PortalAuthFrame, S6_1_another_key_spec_or_length_is_refused) {
  const auto spec = Spec::derive("auto");
  const AuthKey key("secret");
  Frame frame = encode_auth_frame(*spec, key, fresh_nonce());
  EXPECT_TRUE(verify_auth_frame(*spec, key, frame));
  EXPECT_EQ(verify_auth_frame(*spec, AuthKey("Secret"), frame).error(), make_error_code(kRefused));
  EXPECT_EQ(verify_auth_frame(*Spec::derive("edge-a"), key, frame).error(),
            make_error_code(kRefused));
  EXPECT_EQ(verify_auth_frame(*spec, key, Bytes(frame).first(frame.size() - 1)).error(),
            make_error_code(kRefused));
  EXPECT_EQ(verify_auth_frame(*spec, key, {}).error(), make_error_code(kRefused));
  frame.push_back(0);
  EXPECT_EQ(verify_auth_frame(*spec, key, frame).error(), make_error_code(kRefused));
}

TEST(PortalAuthFrame, S6_1_nonces_are_fresh_and_shape_the_padding) {
  const auto spec = Spec::derive("nightfall");
  const AuthKey key("secret");
  const Nonce one = fresh_nonce();
  const Nonce two = fresh_nonce();
  ASSERT_NE(one, two);
  std::array<std::uint8_t, 255> first{}, second{};
  spec->auth_padding(one, first);
  spec->auth_padding(two, second);
  EXPECT_NE(first, second);
  EXPECT_TRUE(verify_auth_frame(*spec, key, encode_auth_frame(*spec, key, one)));
}

// The Portal keeps no replay list (portal 6.1).
TEST(PortalAuthFrame, S6_1_a_frame_verifies_again) {
  const auto spec = Spec::derive("x");
  const AuthKey key("secret");
  const Frame frame = encode_auth_frame(*spec, key, sevens());
  EXPECT_TRUE(verify_auth_frame(*spec, key, frame));
  EXPECT_TRUE(verify_auth_frame(*spec, key, frame));
}

TEST(PortalAuthFrame, S19_1_the_key_changes_no_layout_padding_or_magic) {
  const auto spec = Spec::derive("auto");
  const Frame one = encode_auth_frame(*spec, AuthKey("secret"), sevens());
  const Frame two = encode_auth_frame(*spec, AuthKey("other"), sevens());
  // The tag of `auto` is first.
  EXPECT_NE(Frame(one.begin(), one.begin() + 32), Frame(two.begin(), two.begin() + 32));
  EXPECT_EQ(Frame(one.begin() + 32, one.end()), Frame(two.begin() + 32, two.end()));
}

TEST(PortalAuthFrame, S3_bytes_after_the_frame_have_their_text) {
  EXPECT_EQ(make_error_code(Errc::trailing_auth_bytes).message(),
            "protocol::crypto::read_auth_stream: trailing auth stream bytes");
}

}  // namespace
}  // namespace portunus::portal::protocol
