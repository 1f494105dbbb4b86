#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/server/control/control_rig.hpp"

// Replay and what happens to rules meanwhile (control-wire 5.1, 6.2), over real sockets.

namespace portunus::server::control {
namespace {

using namespace std::chrono_literals;
using test::ControlRig;
using test::FakeEdge;

constexpr std::uint64_t kRules = 1000;

/// With the default, so much text per rule that a replay fills every buffer on the way.
void fill(ControlRig& rig, std::size_t host_bytes = 4000) {
  rig.on_domain([&] {
    for (std::uint64_t id = 1; id <= kRules; ++id) {
      rig.feed.rules[RuleId{id}] = test::rule(id, std::string(host_bytes, 'h'));
    }
  });
}

/// Everything up to the end of the replay, in order.
std::vector<v1::RuleUpdate> replay(FakeEdge& edge) {
  std::vector<v1::RuleUpdate> out;
  while (auto message = edge.next()) {
    if (message->has_replay_complete()) return out;
    if (message->has_rule_update()) out.push_back(message->rule_update());
  }
  ADD_FAILURE() << "the replay did not end";
  return out;
}

TEST(Replay, CW_6_2_a_thousand_rules_in_order_each_with_a_known_id) {
  ControlRig rig;
  fill(rig);
  FakeEdge edge(rig.edge());
  edge.open();
  ASSERT_TRUE(edge.welcomed());
  const auto updates = replay(edge);
  ASSERT_EQ(updates.size(), kRules);
  std::set<std::string> ids;
  for (std::uint64_t i = 0; i < kRules; ++i) {
    EXPECT_EQ(updates[i].action(), v1::PUSH);
    EXPECT_EQ(updates[i].rule().rule_id(), i + 1);
    ids.insert(updates[i].request_id());
  }
  EXPECT_EQ(ids.size(), kRules);
  EXPECT_EQ(rig.on_domain([&] { return rig.feed.expected.size(); }), kRules);
}

TEST(Replay, CW_6_2_what_is_removed_meanwhile_is_not_pushed_afterwards) {
  ControlRig rig;
  fill(rig);
  FakeEdge::Options options = rig.edge();
  options.reading = false;
  FakeEdge edge(options);
  edge.open();
  edge.hello();
  ASSERT_TRUE(rig.eventually([&] { return rig.feed.expected.size() > 32; }));
  // The edge takes nothing yet: the replay is stuck in its middle.
  const auto remove = [&](std::uint64_t id) {
    rig.feed.rules.erase(RuleId{id});
    EXPECT_TRUE(rig.hub().remove(ControlRig::kOne, "r" + std::to_string(id), RuleId{id}));
  };
  rig.on_domain([&] {
    EXPECT_LT(rig.feed.expected.size(), kRules / 2);
    remove(1);    // sent already
    remove(900);  // not yet
    rig.feed.rules[RuleId{2000}] = test::rule(2000);
    EXPECT_TRUE(rig.hub().push(ControlRig::kOne, "new", test::rule(2000)));
  });
  edge.start_reading();
  ASSERT_TRUE(edge.next()->has_welcome());
  const auto updates = replay(edge);
  EXPECT_EQ(updates.size(), kRules - 1);
  for (const auto& update : updates) EXPECT_NE(update.rule().rule_id(), 900U);
  EXPECT_EQ(updates.front().rule().rule_id(), 1U);
  EXPECT_EQ(edge.next()->rule_update().request_id(), "r1");
  const auto removal = edge.next();
  EXPECT_EQ(removal->rule_update().action(), v1::REMOVE);
  EXPECT_EQ(removal->rule_update().rule().rule_id(), 900U);
  EXPECT_EQ(edge.next()->rule_update().request_id(), "new");
}

TEST(Replay, CW_12_6_a_session_cut_in_mid_replay_loses_no_rule) {
  ControlRig rig;
  fill(rig, 200);
  std::mt19937 random(1);
  for (int i = 0; i < 100; ++i) {
    FakeEdge edge(rig.edge());
    edge.open();
    ASSERT_TRUE(edge.welcomed()) << i;
    for (unsigned n = random() % 200; n > 0; --n) ASSERT_TRUE(edge.next()) << i;
    if (i % 4 == 0) edge.half_close();
    // Otherwise the destructor resets the stream.
  }
  FakeEdge edge(rig.edge());
  edge.open();
  ASSERT_TRUE(edge.welcomed());
  EXPECT_EQ(replay(edge).size(), kRules);
  EXPECT_EQ(rig.on_domain([&] { return rig.feed.begun; }), 101);
  EXPECT_TRUE(rig.eventually([&] { return rig.hub().stream_count() == 1; }));
}

TEST(Replay, D7_only_a_whole_replay_is_marked) {
  ControlRig rig;
  fill(rig);
  FakeEdge edge(rig.edge());
  edge.open();
  ASSERT_TRUE(edge.welcomed());
  ASSERT_TRUE(edge.next());
  rig.on_domain([&] { rig.hub().disconnect(ControlRig::kOne, "token_revoked"); });
  std::size_t updates = 1;
  bool marked = false;
  while (const auto message = edge.next()) {
    marked = message->has_replay_complete();
    ++updates;
  }
  EXPECT_EQ(marked, updates > kRules);  // it may have been whole already
  EXPECT_TRUE(edge.ended()->ok());
}

}  // namespace
}  // namespace portunus::server::control
