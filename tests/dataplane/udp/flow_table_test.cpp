#include "dataplane/udp/flow_table.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

#include "dataplane/udp/flow.hpp"

namespace portunus::dataplane::udp {
namespace {

FlowKey key_of(std::uint32_t address, std::uint16_t source_port, std::uint16_t listen_port) {
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_addr.s_addr = htonl(address);
  in.sin_port = htons(source_port);
  return FlowKey(in, listen_port);
}

TEST(FlowKey, UDP_2_is_source_address_source_port_and_listen_port) {
  const FlowKey key = key_of(0x7F00'0001, 40'000, 53);
  EXPECT_EQ(key, key_of(0x7F00'0001, 40'000, 53));
  EXPECT_NE(key, key_of(0x7F00'0002, 40'000, 53));
  EXPECT_NE(key, key_of(0x7F00'0001, 40'001, 53));
  EXPECT_NE(key, key_of(0x7F00'0001, 40'000, 54));
  EXPECT_EQ(key.listen_port(), 53);
  EXPECT_EQ(ntohs(key.source().sin_port), 40'000);
  EXPECT_EQ(ntohl(key.source().sin_addr.s_addr), 0x7F00'0001U);
}

TEST(FlowTable, UDP_4_has_no_memory_before_the_first_flow) {
  FlowTable table(7);
  EXPECT_EQ(table.capacity(), 0U);
  EXPECT_EQ(table.find(key_of(1, 2, 3)), nullptr);
  table.erase(key_of(1, 2, 3));
  EXPECT_EQ(table.size(), 0U);
}

TEST(FlowTable, finds_what_it_was_given_and_nothing_else) {
  FlowTable table(7);
  std::vector<Flow> flows(3);
  for (std::uint16_t i = 0; i < 3; ++i) {
    ASSERT_TRUE(table.insert(key_of(1, 2, static_cast<std::uint16_t>(3 + i)), flows[i]));
  }
  EXPECT_EQ(table.find(key_of(1, 2, 4)), &flows[1]);
  EXPECT_EQ(table.find(key_of(1, 2, 6)), nullptr);
  table.erase(key_of(1, 2, 4));
  EXPECT_EQ(table.find(key_of(1, 2, 4)), nullptr);
  EXPECT_EQ(table.find(key_of(1, 2, 5)), &flows[2]);
  EXPECT_EQ(table.size(), 2U);
}

TEST(FlowTable, is_at_most_half_full) {
  FlowTable table(1);
  Flow flow;
  for (std::uint32_t i = 1; i <= 5000; ++i) {
    ASSERT_TRUE(table.insert(key_of(i, 1, 1), flow));
    ASSERT_LE(2 * table.size(), table.capacity());
  }
  EXPECT_EQ(table.capacity(), 16'384U);
}

/// The same random history on the table and on a map. Few keys, so that runs of neighbours form,
/// shrink and wrap around the end.
class FlowTableHistory : public testing::TestWithParam<std::uint64_t> {};

TEST_P(FlowTableHistory, agrees_with_a_map) {
  FlowTable table(GetParam());
  std::map<std::uint64_t, Flow*> expected;
  std::vector<Flow> flows(200);
  std::mt19937_64 random(GetParam());
  for (int step = 0; step < 40'000; ++step) {
    const auto pick = static_cast<std::uint32_t>(random() % 200);
    const FlowKey key = key_of(0x0A00'0000 + pick * 256, static_cast<std::uint16_t>(pick % 3), 80);
    const auto found = expected.find(key.word());
    ASSERT_EQ(table.find(key), found == expected.end() ? nullptr : found->second);
    if (found == expected.end()) {
      ASSERT_TRUE(table.insert(key, flows[pick]));
      expected[key.word()] = &flows[pick];
    } else if (random() % 2 == 0) {
      table.erase(key);
      expected.erase(found);
    }
    ASSERT_EQ(table.size(), expected.size());
  }
}

INSTANTIATE_TEST_SUITE_P(Secrets, FlowTableHistory, testing::Values(0, 1, 0xDEAD'BEEF, ~0ULL));

}  // namespace
}  // namespace portunus::dataplane::udp
