#include "server/control/outbox.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "tests/server/control/fake_ports.hpp"

namespace portunus::server::control {
namespace {

using test::rule;

TEST(Outbox, gives_nothing_before_it_begins_and_when_all_is_taken) {
  Outbox outbox;
  EXPECT_FALSE(outbox.take());
  outbox.begin({}, false);
  EXPECT_TRUE(outbox.replaying());
  EXPECT_TRUE(std::holds_alternative<Outbox::Welcome>(*outbox.take()));
  EXPECT_FALSE(outbox.replaying());
  EXPECT_FALSE(outbox.take());
}

TEST(Outbox, keeps_welcome_replay_end_mark_and_changes_in_that_order) {
  Outbox outbox;
  const std::vector rules{rule(3), rule(1)};
  outbox.begin({.quotas = {"bob", "alice"}, .owner_caps = {"carol"}, .rules = rules}, true);
  ASSERT_TRUE(outbox.push("p", rule(4)));
  ASSERT_TRUE(outbox.remove("r", RuleId{3}));

  EXPECT_TRUE(std::holds_alternative<Outbox::Welcome>(*outbox.take()));
  EXPECT_EQ(std::get<Outbox::Quota>(*outbox.take()).user_id, "bob");
  EXPECT_EQ(std::get<Outbox::Quota>(*outbox.take()).user_id, "alice");
  EXPECT_EQ(std::get<Outbox::OwnerCaps>(*outbox.take()).owner_id, "carol");
  EXPECT_EQ(std::get<Outbox::Replay>(*outbox.take()).rule, RuleId{3});
  EXPECT_EQ(std::get<Outbox::Replay>(*outbox.take()).rule, RuleId{1});
  EXPECT_TRUE(outbox.replaying());
  EXPECT_TRUE(std::holds_alternative<Outbox::ReplayEnd>(*outbox.take()));
  EXPECT_FALSE(outbox.replaying());
  EXPECT_EQ(std::get<Outbox::Push>(*outbox.take()).request_id, "p");
  EXPECT_EQ(std::get<Outbox::Remove>(*outbox.take()).request_id, "r");
  EXPECT_FALSE(outbox.take());
}

TEST(Outbox, D6_what_waits_for_its_turn_needs_no_second_one) {
  Outbox outbox;
  outbox.begin({.quotas = {"alice"}, .owner_caps = {"alice"}, .rules = {}}, false);
  outbox.take();  // Welcome
  ASSERT_TRUE(outbox.quota_changed("alice"));
  ASSERT_TRUE(outbox.owner_caps_changed("alice"));
  ASSERT_TRUE(outbox.quota_changed("bob"));
  ASSERT_TRUE(outbox.quota_changed("bob"));
  EXPECT_EQ(std::get<Outbox::Quota>(*outbox.take()).user_id, "alice");
  ASSERT_TRUE(outbox.quota_changed("alice"));  // after its turn: behind what waits
  EXPECT_EQ(std::get<Outbox::OwnerCaps>(*outbox.take()).owner_id, "alice");
  EXPECT_EQ(std::get<Outbox::Quota>(*outbox.take()).user_id, "bob");
  EXPECT_EQ(std::get<Outbox::Quota>(*outbox.take()).user_id, "alice");
  EXPECT_FALSE(outbox.take());
}

TEST(Outbox, refuses_a_change_beyond_its_bound_and_takes_one_again_after_that) {
  Outbox outbox;
  outbox.begin({}, false);
  for (std::size_t i = 0; i < Outbox::kMaxChanges; ++i) {
    ASSERT_TRUE(outbox.remove("r", RuleId{i}));
  }
  EXPECT_FALSE(outbox.push("p", rule(1)));
  EXPECT_FALSE(outbox.remove("r", RuleId{1}));
  EXPECT_FALSE(outbox.quota_changed("alice"));
  EXPECT_FALSE(outbox.owner_caps_changed("alice"));
  outbox.take();  // Welcome
  outbox.take();
  EXPECT_TRUE(outbox.push("p", rule(1)));
}

}  // namespace
}  // namespace portunus::server::control
