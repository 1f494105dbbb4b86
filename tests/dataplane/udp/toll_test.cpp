#include "dataplane/udp/toll.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>

namespace portunus::dataplane::udp {
namespace {

using limits::Direction;
using Verdict = Toll::Verdict;

const SteadyTime kNow = SteadyTime() + std::chrono::hours(1);

std::unique_ptr<rules::LiveRule> rule_of(std::shared_ptr<owners::OwnerScope> owner,
                                         std::optional<model::RateLimit> envelope = {}) {
  model::RuleSpec spec;
  spec.protocol = model::Protocol::udp;
  spec.listen_port = 53;
  spec.targets = {{.host = "127.0.0.1", .port = 53}};
  auto rule = std::make_unique<rules::LiveRule>(std::move(spec), std::move(owner), 1);
  rule->limiter().apply(envelope, kNow);
  return rule;
}

TEST(Toll, QUO_1_an_owner_without_quota_or_caps_passes_unasked) {
  Toll toll;
  const auto nobody = rule_of(nullptr);
  toll.start(*nobody, Direction::in, kNow);
  EXPECT_TRUE(toll.free());
  const auto owner = std::make_shared<owners::OwnerScope>("bob");
  const auto his = rule_of(owner);
  toll.start(*his, Direction::in, kNow);
  EXPECT_TRUE(toll.free());
  owner->quota.set(10, false);
  toll.start(*his, Direction::in, kNow);
  EXPECT_FALSE(toll.free());
}

TEST(Toll, QUO_6_a_datagram_passes_whole_while_anything_remains) {
  const auto owner = std::make_shared<owners::OwnerScope>("bob");
  owner->quota.set(150, false);
  const auto rule = rule_of(owner);
  Toll toll;
  toll.start(*rule, Direction::in, kNow);
  EXPECT_EQ(toll.ask(100), Verdict::pass);
  EXPECT_EQ(toll.ask(0), Verdict::pass);
  EXPECT_EQ(toll.ask(100), Verdict::pass);
  EXPECT_EQ(toll.ask(1), Verdict::quota);
  EXPECT_EQ(toll.ask(0), Verdict::quota);
  toll.settle(3);
  EXPECT_TRUE(owner->quota.exhausted());
}

TEST(Toll, UDP_12_quota_of_what_was_not_sent_comes_back) {
  const auto owner = std::make_shared<owners::OwnerScope>("bob");
  owner->quota.set(250, false);
  const auto rule = rule_of(owner);
  Toll toll;
  toll.start(*rule, Direction::out, kNow);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(toll.ask(100), Verdict::pass);
  EXPECT_EQ(owner->quota.remaining(), 0U);
  // The third had taken what was left: 50.
  toll.settle(1);
  EXPECT_EQ(owner->quota.remaining(), 150U);
  EXPECT_FALSE(owner->quota.exhausted());
}

TEST(Toll, RL_8_bandwidth_refuses_by_the_datagram_owner_first) {
  const auto owner = std::make_shared<owners::OwnerScope>("bob");
  owner->limiter.apply(model::RateLimit{.bandwidth_in_bps = 250}, kNow);
  const auto rule = rule_of(owner, model::RateLimit{.bandwidth_in_bps = 150});
  Toll toll;
  toll.start(*rule, Direction::in, kNow);
  EXPECT_EQ(toll.ask(100), Verdict::pass);
  // The owner has 150 left and pays, the rule has 50 and refuses.
  EXPECT_EQ(toll.ask(100), Verdict::bandwidth);
  EXPECT_EQ(toll.ask(50), Verdict::pass);
  // Now the owner refuses, before the rule is asked.
  EXPECT_EQ(toll.ask(50), Verdict::bandwidth);
  // The other direction has no cap.
  toll.settle(2);
  toll.start(*rule, Direction::out, kNow);
  EXPECT_TRUE(toll.free());
}

TEST(Toll, RL_9_a_datagram_larger_than_the_burst_passes_a_full_bucket) {
  const auto rule =
      rule_of(nullptr, model::RateLimit{.bandwidth_in_bps = 1000, .bandwidth_in_burst = 100});
  Toll toll;
  toll.start(*rule, Direction::in, kNow);
  EXPECT_EQ(toll.ask(60'000), Verdict::pass);
  EXPECT_EQ(toll.ask(1), Verdict::bandwidth);
}

TEST(Toll, RL_8_quota_of_a_datagram_that_bandwidth_refuses_comes_back) {
  const auto owner = std::make_shared<owners::OwnerScope>("bob");
  owner->quota.set(1000, false);
  const auto rule = rule_of(owner, model::RateLimit{.bandwidth_in_bps = 100});
  Toll toll;
  toll.start(*rule, Direction::in, kNow);
  EXPECT_EQ(toll.ask(80), Verdict::pass);
  EXPECT_EQ(toll.ask(80), Verdict::bandwidth);
  EXPECT_EQ(owner->quota.remaining(), 920U);
}

TEST(Toll, RL_8_what_has_paid_for_bandwidth_is_asked_for_quota_alone) {
  const auto owner = std::make_shared<owners::OwnerScope>("bob");
  owner->quota.set(100, false);
  owner->limiter.apply(model::RateLimit{.bandwidth_in_bps = 100}, kNow);
  const auto rule = rule_of(owner, model::RateLimit{.bandwidth_in_bps = 100});
  Toll toll;
  toll.start(*rule, Direction::in, kNow);
  EXPECT_EQ(toll.ask(100), Verdict::pass);
  toll.settle(0);
  toll.start_paid(*rule);
  EXPECT_EQ(toll.ask(100), Verdict::pass);
  EXPECT_EQ(toll.ask(1), Verdict::quota);
  toll.settle(1);
  toll.start(*rule, Direction::in, kNow);
  owner->quota.set(100, false);
  EXPECT_EQ(toll.ask(1), Verdict::bandwidth);
}

TEST(Toll, is_full_before_it_could_forget_a_grant) {
  const auto owner = std::make_shared<owners::OwnerScope>("bob");
  owner->quota.set(1'000'000, false);
  const auto rule = rule_of(owner);
  Toll toll;
  toll.start(*rule, Direction::in, kNow);
  unsigned asked = 0;
  while (!toll.full()) {
    ASSERT_EQ(toll.ask(10), Verdict::pass);
    ++asked;
  }
  EXPECT_EQ(asked, SendBatch::kSingles);
  toll.settle(0);
  EXPECT_EQ(owner->quota.remaining(), 1'000'000U);
}

}  // namespace
}  // namespace portunus::dataplane::udp
