#include "portal/quic/stream_buffers.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace portunus::portal::quic {
namespace {

TEST(PortalQuicBuffers, bytes_come_out_as_they_went_in) {
  std::mt19937 random(3);
  BlockChain chain(std::make_shared<BlockPool>());
  std::string expected;
  std::uint8_t next = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::vector<std::uint8_t> bytes(random() % 5000);
    if (random() % 2 == 0) {
      for (auto& byte : bytes) byte = next++;
      expected.append(bytes.begin(), bytes.end());
      ASSERT_TRUE(chain.append(bytes));
    } else {
      const std::size_t n = chain.take(bytes);
      ASSERT_EQ(n, std::min(bytes.size(), expected.size()));
      ASSERT_EQ(std::string(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n)),
                expected.substr(0, n));
      expected.erase(0, n);
    }
    ASSERT_EQ(chain.size(), expected.size());
  }
}

TEST(PortalQuicBuffers, pieces_begin_where_they_are_asked_for_and_stay_in_place) {
  BlockChain chain(std::make_shared<BlockPool>());
  std::vector<std::uint8_t> bytes(3 * Block::kBytes);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i / 251);
  ASSERT_TRUE(chain.append(bytes));
  chain.drop(100);
  std::array<std::span<std::uint8_t>, 8> pieces;
  ASSERT_EQ(chain.pieces(Block::kBytes, pieces), 2U);
  EXPECT_EQ(pieces[0].size(), Block::kBytes - 100);
  EXPECT_EQ(pieces[0][0], bytes[Block::kBytes + 100]);
  const auto* place = pieces[1].data();
  ASSERT_TRUE(chain.append(bytes));
  chain.drop(Block::kBytes);
  chain.pieces(0, pieces);
  EXPECT_EQ(pieces[1].data(), place);
}

}  // namespace
}  // namespace portunus::portal::quic
