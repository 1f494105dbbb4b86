#include "dataplane/owners/owner_scope.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace portunus::dataplane::owners {
namespace {

using Scope = OwnerRegistry::Scope;

TEST(OwnerRegistry, RL_12_one_scope_per_owner_that_outlives_its_rules) {
  OwnerRegistry registry({});
  EXPECT_EQ(registry.scope(""), nullptr);
  auto alice = registry.scope("alice");
  EXPECT_EQ(alice->id, "alice");
  EXPECT_EQ(registry.scope("alice"), alice);
  EXPECT_NE(registry.scope("bob"), alice);
  alice->limiter.count_throttle(limits::Direction::in, std::chrono::microseconds(3));
  alice.reset();
  EXPECT_EQ(registry.scope("alice")->limiter.traffic().throttle_us_in, 3U);
}

TEST(OwnerRegistry, reports_only_owners_with_something_to_tell_sorted) {
  OwnerRegistry registry({});
  registry.scope("zoe")->limiter.count_reject(model::Reject::owner_concurrent);
  // Nothing of an owner without caps, whatever he has open.
  EXPECT_EQ(registry.scope("bob")->limiter.enter(SteadyTime{}), limits::Limiter::Verdict::admitted);
  model::RateLimit caps;
  caps.concurrent_connections = 5;
  registry.scope("amy")->limiter.apply(caps, SteadyTime{});
  EXPECT_EQ(registry.scope("amy")->limiter.enter(SteadyTime{}), limits::Limiter::Verdict::admitted);
  const auto traffic = registry.traffic();
  ASSERT_EQ(traffic.size(), 2U);
  EXPECT_EQ(traffic[0].owner_id, "amy");
  EXPECT_EQ(traffic[0].limit.active, 1U);
  EXPECT_EQ(traffic[1].owner_id, "zoe");
}

TEST(OwnerRegistry, QUO_5_tells_whose_quota_ran_out_from_any_thread) {
  Scope told;
  OwnerRegistry registry([&](const Scope& scope) { told = scope; });
  registry.scope("bob");
  const Scope alice = registry.scope("alice");
  alice->quota.set(5, false);
  std::jthread([&] { alice->quota.take(5); }).join();
  EXPECT_EQ(told, alice);
}

TEST(OwnerRegistry, a_scope_may_outlive_the_registry) {
  int told = 0;
  Scope alice;
  {
    OwnerRegistry registry([&](const Scope&) { ++told; });
    alice = registry.scope("alice");
  }
  alice->quota.set(0, false);
  EXPECT_EQ(told, 1);
  const std::weak_ptr<OwnerScope> watch = alice;
  alice.reset();
  EXPECT_TRUE(watch.expired());
}

}  // namespace
}  // namespace portunus::dataplane::owners
