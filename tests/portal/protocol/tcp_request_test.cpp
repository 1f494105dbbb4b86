#include "portal/protocol/tcp_request.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "common/base/hex.hpp"
#include "portal/protocol/errc.hpp"
#include "tests/portal/protocol/vectors.hpp"

namespace portunus::portal::protocol {
namespace {

/// Feeds one byte at a time; how many were taken before the error.
Result<std::size_t> feed_bytes(TcpRequestReader& reader, Bytes bytes, std::size_t& taken) {
  for (taken = 0; taken < bytes.size(); ++taken) {
    auto fed = reader.feed(bytes.subspan(taken, 1));
    if (!fed) return fed;
    if (*fed == 0) break;
  }
  return taken;
}

/// The frame of a spec with its fields given, right or wrong.
Frame raw_request(const Spec& spec, std::uint8_t version, Bytes target, Bytes padding) {
  Frame frame;
  for (const TcpField field : spec.tcp_order()) {
    if (field == TcpField::version) frame.push_back(version);
    if (field == TcpField::target) frame.insert(frame.end(), target.begin(), target.end());
    if (field == TcpField::padding) frame.insert(frame.end(), padding.begin(), padding.end());
  }
  return frame;
}

Frame good_padding(const Spec& spec, std::string_view target) {
  Frame padding(1 + spec.tcp_pad_len(), spec.tcp_pad_len());
  spec.tcp_padding(target, std::span(padding).subspan(1));
  return padding;
}

TEST(PortalTcpRequest, S7_frames_of_the_vectors) {
  for (const Vector& vector : kVectors) {
    SCOPED_TRACE(vector.spec);
    const auto spec = Spec::derive(vector.spec);
    EXPECT_EQ(hex_encode(*encode_tcp_request(*spec, "example.com:443")), vector.tcp);
    EXPECT_EQ(hex_encode(*encode_tcp_request(*spec, kUotTarget)), vector.uot);
  }
}

TEST(PortalTcpRequest, S6_2_reads_in_every_split_and_leaves_the_payload) {
  for (const Vector& vector : kVectors) {
    SCOPED_TRACE(vector.spec);
    const auto spec = Spec::derive(vector.spec);
    Frame sent = *encode_tcp_request(*spec, "example.com:443");
    const std::size_t length = sent.size();
    for (const char c : std::string("payload")) sent.push_back(static_cast<std::uint8_t>(c));
    for (std::size_t split = 0; split <= sent.size(); ++split) {
      TcpRequestReader reader(*spec);
      EXPECT_FALSE(reader.started());
      const auto first = reader.feed(Bytes(sent).first(split));
      ASSERT_TRUE(first);
      EXPECT_EQ(*first, std::min(split, length));
      EXPECT_EQ(reader.started(), split > 0);
      EXPECT_EQ(reader.complete(), split >= length);
      const auto second = reader.feed(Bytes(sent).subspan(*first));
      ASSERT_TRUE(second);
      EXPECT_EQ(*first + *second, length);
      ASSERT_TRUE(reader.complete());
      EXPECT_EQ(reader.target(), "example.com:443");
      EXPECT_FALSE(reader.is_uot());
    }
    TcpRequestReader reader(*spec);
    std::size_t taken = 0;
    ASSERT_TRUE(feed_bytes(reader, sent, taken));
    EXPECT_EQ(taken, length);
    EXPECT_TRUE(reader.complete());
  }
}

TEST(PortalTcpRequest, S6_4_only_the_exact_target_is_the_switch) {
  for (const Vector& vector : kVectors) {
    const auto spec = Spec::derive(vector.spec);
    TcpRequestReader reader(*spec);
    ASSERT_TRUE(reader.feed(*hex_decode(vector.uot)));
    ASSERT_TRUE(reader.complete());
    EXPECT_TRUE(reader.is_uot());
  }
  const auto spec = Spec::derive("auto");
  for (const char* target : {"uot.nowhere.invalid:1", "UOT.nowhere.invalid:0"}) {
    TcpRequestReader reader(*spec);
    ASSERT_TRUE(reader.feed(*encode_tcp_request(*spec, target)));
    EXPECT_TRUE(reader.complete() && !reader.is_uot());
  }
}

TEST(PortalTcpRequest, S6_2_any_changed_byte_of_frame_changes_the_answer) {
  for (const Vector& vector : kVectors) {
    SCOPED_TRACE(vector.spec);
    const auto spec = Spec::derive(vector.spec);
    const Frame good = *encode_tcp_request(*spec, "example.com:443");
    for (std::size_t i = 0; i < good.size(); ++i) {
      Frame bad = good;
      bad[i] = static_cast<std::uint8_t>(bad[i] ^ 0x01);
      TcpRequestReader reader(*spec);
      const auto fed = reader.feed(bad);
      // Without padding nothing vouches for the target (`spec-68`), so another one may come out.
      const bool right = fed && reader.complete() && reader.target() == "example.com:443";
      EXPECT_FALSE(right) << i;
      if (spec->tcp_pad_len() > 0) EXPECT_FALSE(fed && reader.complete()) << i;
    }
  }
}

TEST(PortalTcpRequest, S6_2_each_field_is_refused_as_soon_as_it_can_be) {
  constexpr std::string_view kTarget = "x.test:1";
  const Frame target = *hex_decode("0008782e746573743a31");
  for (const Vector& vector : kVectors) {
    SCOPED_TRACE(vector.spec);
    const auto spec = Spec::derive(vector.spec);
    const Frame padding = good_padding(*spec, kTarget);
    std::size_t version_at = 0, target_at = 0, padding_at = 0, at = 0;
    for (const TcpField field : spec->tcp_order()) {
      if (field == TcpField::version) version_at = at;
      if (field == TcpField::target) target_at = at;
      if (field == TcpField::padding) padding_at = at;
      at += field == TcpField::version  ? 1
            : field == TcpField::target ? target.size()
                                        : padding.size();
    }
    const auto expect = [&](const Frame& frame, Errc wanted, std::size_t taken_before) {
      TcpRequestReader reader(*spec);
      std::size_t taken = 0;
      const auto fed = feed_bytes(reader, frame, taken);
      ASSERT_FALSE(fed) << hex_encode(frame);
      EXPECT_EQ(fed.error(), make_error_code(wanted));
      EXPECT_EQ(taken, taken_before);
    };
    expect(raw_request(*spec, 0, target, padding), Errc::bad_version, version_at);
    expect(raw_request(*spec, 2, target, padding), Errc::bad_version, version_at);
    expect(raw_request(*spec, 1, *hex_decode("0000"), padding), Errc::bad_target_length,
           target_at + 1);
    expect(raw_request(*spec, 1, *hex_decode("0201"), padding), Errc::bad_target_length,
           target_at + 1);
    expect(raw_request(*spec, 1, *hex_decode("ffff"), padding), Errc::bad_target_length,
           target_at + 1);
    expect(raw_request(*spec, 1, *hex_decode("0008782e746573742d31"), padding), Errc::bad_target,
           target_at + target.size() - 1);
    Frame wrong = padding;
    wrong[0] = static_cast<std::uint8_t>(wrong[0] + 1);
    expect(raw_request(*spec, 1, target, wrong), Errc::bad_padding_length, padding_at);
    if (spec->tcp_pad_len() > 0) {
      wrong = padding;
      wrong[1] = static_cast<std::uint8_t>(wrong[1] ^ 0x80);
      // Known to be wrong when the later of the two is in.
      const std::size_t both_in =
          std::max(target_at + target.size(), padding_at + padding.size()) - 1;
      expect(raw_request(*spec, 1, target, wrong), Errc::bad_padding, both_in);
    }
  }
}

TEST(PortalTcpRequest, S6_2_targets_of_one_and_of_512_bytes) {
  const auto spec = Spec::derive("auto");
  const std::string longest = std::string(510, 'h') + ":1";
  const auto frame = encode_tcp_request(*spec, longest);
  ASSERT_TRUE(frame);
  TcpRequestReader reader(*spec);
  EXPECT_EQ(reader.feed(*frame), frame->size());
  EXPECT_EQ(reader.target(), longest);
  // One byte passes the length and not the grammar.
  EXPECT_EQ(encode_tcp_request(*spec, ":").error(), make_error_code(Errc::bad_target));
  EXPECT_EQ(encode_tcp_request(*spec, "").error(), make_error_code(Errc::bad_target_length));
  EXPECT_EQ(encode_tcp_request(*spec, longest + "1").error(),
            make_error_code(Errc::bad_target_length));
}

}  // namespace
}  // namespace portunus::portal::protocol
