#include "portal/protocol/uot.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "common/base/hex.hpp"
#include "portal/protocol/errc.hpp"

namespace portunus::portal::protocol {
namespace {

/// All packets in `bytes`, fed in pieces of `piece` bytes.
std::vector<Frame> packets_of(UotReader& reader, Bytes bytes, std::size_t piece) {
  std::vector<Frame> packets;
  while (!bytes.empty()) {
    Bytes part = bytes.first(std::min(piece, bytes.size()));
    bytes = bytes.subspan(part.size());
    while (!part.empty()) {
      const auto step = reader.feed(part);
      part = part.subspan(step.consumed);
      if (step.packet) packets.emplace_back(step.packet->begin(), step.packet->end());
    }
  }
  return packets;
}

TEST(PortalUot, S7_frames_of_the_vectors) {
  EXPECT_EQ(hex_encode(*encode_uot_setup("example.com:53")), "000e6578616d706c652e636f6d3a3533");
  EXPECT_EQ(hex_encode(*encode_uot_packet(as_bytes("abc"))), "0003616263");
  EXPECT_EQ(hex_encode(*encode_uot_packet({})), "0000");
}

TEST(PortalUot, S6_4_the_setup_reads_in_every_split) {
  Frame sent = *encode_uot_setup("example.com:53");
  const std::size_t length = sent.size();
  sent.insert(sent.end(), {0, 3, 'a', 'b', 'c'});
  for (std::size_t split = 0; split <= sent.size(); ++split) {
    UotSetupReader reader;
    const auto first = reader.feed(Bytes(sent).first(split));
    ASSERT_TRUE(first);
    EXPECT_EQ(*first, std::min(split, length));
    EXPECT_EQ(reader.complete(), split >= length);
    const auto second = reader.feed(Bytes(sent).subspan(*first));
    ASSERT_TRUE(second);
    EXPECT_EQ(*first + *second, length);
    ASSERT_TRUE(reader.complete());
    EXPECT_EQ(reader.target(), "example.com:53");
  }
}

TEST(PortalUot, S6_4_the_setup_refuses_lengths_and_targets) {
  for (const char* hex : {"0000", "0201", "ffff"}) {
    UotSetupReader reader;
    EXPECT_EQ(reader.feed(*hex_decode(hex)).error(), make_error_code(Errc::bad_target_length));
  }
  UotSetupReader reader;
  EXPECT_EQ(reader.feed(*hex_decode("0003616263")).error(), make_error_code(Errc::bad_target));
  EXPECT_EQ(encode_uot_setup("abc").error(), make_error_code(Errc::bad_target));
  EXPECT_EQ(encode_uot_setup(std::string(511, 'h') + ":1").error(),
            make_error_code(Errc::bad_target_length));
  UotSetupReader longest;
  ASSERT_TRUE(longest.feed(*encode_uot_setup(std::string(510, 'h') + ":1")));
  EXPECT_TRUE(longest.complete());
}

TEST(PortalUot, S13_packets_survive_any_segmentation) {
  std::minstd_rand random(13);  // NOLINT: the same packets each time
  std::vector<Frame> sent = {{}, {'a'}, {}, Frame(65535, 0x5a), Frame(1400, 1), {}, Frame(256, 2)};
  Frame stream;
  for (Frame& packet : sent) {
    for (auto& byte : packet) byte = static_cast<std::uint8_t>(random());
    const Frame frame = *encode_uot_packet(packet);
    stream.insert(stream.end(), frame.begin(), frame.end());
  }
  for (const std::size_t piece : {1UL, 2UL, 3UL, 7UL, 1399UL, 1402UL, 16384UL, stream.size()}) {
    UotReader reader;
    EXPECT_EQ(packets_of(reader, stream, piece), sent) << piece;
    EXPECT_FALSE(reader.in_frame());
  }
}

TEST(PortalUot, S13_a_cut_frame_shows) {
  const Frame frame = *encode_uot_packet(as_bytes("abc"));
  for (std::size_t size = 1; size < frame.size(); ++size) {
    UotReader reader;
    EXPECT_TRUE(packets_of(reader, Bytes(frame).first(size), 64).empty());
    EXPECT_TRUE(reader.in_frame()) << size;
    // The rest makes it whole, whatever happened meanwhile.
    EXPECT_EQ(packets_of(reader, Bytes(frame).subspan(size), 64),
              std::vector<Frame>{(Frame{'a', 'b', 'c'})});
    EXPECT_FALSE(reader.in_frame());
  }
}

TEST(PortalUot, S13_a_whole_packet_is_not_copied) {
  const Frame frame = *encode_uot_packet(as_bytes("abc"));
  UotReader reader;
  const auto step = reader.feed(frame);
  ASSERT_TRUE(step.packet);
  EXPECT_EQ(step.packet->data(), frame.data() + 2);
  EXPECT_EQ(step.consumed, frame.size());
}

TEST(PortalUot, S6_4_a_packet_has_at_most_65535_bytes) {
  EXPECT_TRUE(encode_uot_packet(Frame(65535)));
  EXPECT_EQ(encode_uot_packet(Frame(65536)).error(), make_error_code(Errc::packet_too_long));
}

}  // namespace
}  // namespace portunus::portal::protocol
