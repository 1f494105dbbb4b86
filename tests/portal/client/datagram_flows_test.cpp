// Contract: docs/contracts/portal.md, sections 12 and 18, "flow ids".
#include "portal/client/datagram_flows.hpp"

#include <gtest/gtest.h>

#include <set>

namespace portunus::portal::client {
namespace {

class Nobody final : public UdpReceiver {
 public:
  void on_packet(std::span<const std::uint8_t>) override {}
  void on_closed(const Error&) override {}
};

TEST(Portal18FlowIds, AnswerMatchesOnIdAndTarget) {
  DatagramFlows flows;
  Nobody first;
  Nobody second;
  const auto a = flows.add("x.test:53", first);
  const auto b = flows.add("y.test:53", second);
  EXPECT_EQ(flows.match(a, "x.test:53"), &first);
  EXPECT_EQ(flows.match(b, "y.test:53"), &second);
  EXPECT_EQ(flows.match(a, "y.test:53"), nullptr) << "the id of one, the target of another";
  EXPECT_EQ(flows.match(a, "x.test:5"), nullptr);
  EXPECT_EQ(flows.match(a, ""), nullptr);
  EXPECT_EQ(flows.match(b + 1, "y.test:53"), nullptr);
}

TEST(Portal18FlowIds, FlowsToOneTargetAreTwo) {
  DatagramFlows flows;
  Nobody first;
  Nobody second;
  const auto a = flows.add("x.test:53", first);
  const auto b = flows.add("x.test:53", second);
  EXPECT_NE(a, b);
  EXPECT_EQ(flows.match(a, "x.test:53"), &first);
  EXPECT_EQ(flows.match(b, "x.test:53"), &second);
}

TEST(Portal18FlowIds, LateAnswerToAFlowThatIsGoneFindsNothing) {
  DatagramFlows flows;
  Nobody receiver;
  const auto old = flows.add("x.test:53", receiver);
  flows.remove(old);
  flows.remove(old);
  EXPECT_EQ(flows.match(old, "x.test:53"), nullptr);
  EXPECT_EQ(flows.size(), 0U);
}

TEST(Portal18FlowIds, NoIdIsGivenTwice) {
  DatagramFlows flows;
  Nobody receiver;
  std::set<DatagramFlows::Id> seen;
  for (int i = 0; i < 100; ++i) {
    const auto id = flows.add("x.test:53", receiver);
    EXPECT_TRUE(seen.insert(id).second);
    if (i % 2 == 0) flows.remove(id);
  }
}

}  // namespace
}  // namespace portunus::portal::client
