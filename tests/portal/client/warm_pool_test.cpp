// Contract: docs/contracts/portal.md, section 18, "warm pool".
#include "portal/client/warm_pool.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <vector>

namespace portunus::portal::client {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr SteadyTime kStart{};

/// Fills the pool to its size with idle slots, all created at `now`.
std::vector<WarmPool::Slot> fill(WarmPool& pool, SteadyTime now) {
  std::vector<WarmPool::Slot> all;
  while (pool.idle() < pool.size()) {
    for (const WarmPool::Slot slot : pool.used(now)) {
      EXPECT_TRUE(pool.connected(slot));
      all.push_back(slot);
    }
  }
  return all;
}

TEST(Portal18WarmPool, ColdPoolOpensOne) {
  WarmPool pool(5);
  ASSERT_TRUE(pool.warm_up(kStart));
  EXPECT_EQ(pool.connecting(), 1U);
  EXPECT_EQ(pool.idle(), 0U);
}

TEST(Portal18WarmPool, PoolThatIsConnectingOrIdleIsNotCold) {
  WarmPool pool(5);
  const auto slot = pool.warm_up(kStart);
  ASSERT_TRUE(slot);
  EXPECT_FALSE(pool.warm_up(kStart));
  ASSERT_TRUE(pool.connected(*slot));
  EXPECT_FALSE(pool.warm_up(kStart));
}

TEST(Portal18WarmPool, EachUseStartsUpToTwo) {
  WarmPool pool(5);
  EXPECT_THAT(pool.used(kStart), SizeIs(2));
  EXPECT_THAT(pool.used(kStart), SizeIs(2));
  EXPECT_THAT(pool.used(kStart), SizeIs(1)) << "the fifth is the last that fits";
  EXPECT_THAT(pool.used(kStart), IsEmpty());
}

TEST(Portal18WarmPool, IdleAndConnectingTogetherNeverExceedTheSize) {
  for (std::size_t size = 0; size <= WarmPool::kMostSlots; ++size) {
    WarmPool pool(size);
    for (int use = 0; use < 12; ++use) {
      const auto started = pool.used(kStart);
      if (!started.empty()) EXPECT_TRUE(pool.connected(started.front()));
      EXPECT_LE(pool.idle() + pool.connecting(), size);
    }
    EXPECT_EQ(pool.idle() + pool.connecting(), size);
  }
}

TEST(Portal18WarmPool, SizeIsNineAtMost) {
  EXPECT_EQ(WarmPool(9).size(), 9U);
  EXPECT_EQ(WarmPool(10).size(), 9U);
}

TEST(Portal18WarmPool, SizeZeroKeepsNothingWarm) {
  WarmPool pool(0);
  EXPECT_FALSE(pool.warm_up(kStart));
  EXPECT_THAT(pool.used(kStart), IsEmpty());
  EXPECT_FALSE(pool.take(kStart));
  EXPECT_FALSE(pool.next_retirement());
}

TEST(Portal18WarmPool, OnlyAuthenticatedSlotsAreTakenOldestFirst) {
  WarmPool pool(5);
  const auto first = pool.used(kStart);
  EXPECT_FALSE(pool.take(kStart)) << "nothing is connected yet";
  ASSERT_TRUE(pool.connected(first[1]));
  ASSERT_TRUE(pool.connected(first[0]));
  EXPECT_EQ(pool.take(kStart), first[0]);
  EXPECT_EQ(pool.take(kStart), first[1]);
  EXPECT_FALSE(pool.take(kStart));
}

TEST(Portal18WarmPool, TakenSlotMakesRoom) {
  WarmPool pool(1);
  fill(pool, kStart);
  EXPECT_THAT(pool.used(kStart), IsEmpty());
  ASSERT_TRUE(pool.take(kStart));
  EXPECT_THAT(pool.used(kStart), SizeIs(1));
}

TEST(Portal18WarmPool, SlotRetiresThirtySecondsAfterCreationWithoutReplacement) {
  WarmPool pool(5);
  const auto all = fill(pool, kStart);
  EXPECT_EQ(pool.next_retirement(), kStart + seconds(30));
  EXPECT_THAT(pool.retire(kStart + seconds(30) - milliseconds(1)), IsEmpty());
  EXPECT_EQ(pool.retire(kStart + seconds(30)), all);
  EXPECT_EQ(pool.idle() + pool.connecting(), 0U);
  EXPECT_FALSE(pool.next_retirement());
}

TEST(Portal18WarmPool, AgeCountsFromCreationNotFromAuthentication) {
  WarmPool pool(2);
  const auto slots = pool.used(kStart);
  ASSERT_TRUE(pool.connected(slots[0]));
  EXPECT_EQ(pool.retire(kStart + seconds(30)), slots) << "one idle, one still connecting";
  EXPECT_FALSE(pool.connected(slots[1])) << "its connection is to be closed";
  EXPECT_EQ(pool.idle(), 0U);
}

TEST(Portal18WarmPool, SlotPastItsLifeIsNotHandedOutEvenBeforeItIsRetired) {
  WarmPool pool(2);
  const auto old = pool.used(kStart);
  ASSERT_TRUE(pool.connected(old[0]));
  pool.lost(old[1]);
  const SteadyTime later = kStart + seconds(10);
  const auto young = pool.used(later);
  ASSERT_THAT(young, SizeIs(1));
  ASSERT_TRUE(pool.connected(young[0]));
  EXPECT_EQ(pool.take(kStart + seconds(30)), young[0]);
  EXPECT_FALSE(pool.take(kStart + seconds(30)));
}

TEST(Portal18WarmPool, RetiresInTheOrderOfCreation) {
  WarmPool pool(4);
  const auto old = pool.used(kStart);
  const auto young = pool.used(kStart + seconds(5));
  EXPECT_EQ(pool.retire(kStart + seconds(30)), old);
  EXPECT_EQ(pool.next_retirement(), kStart + seconds(35));
  EXPECT_EQ(pool.retire(kStart + seconds(35)), young);
}

TEST(Portal18WarmPool, LostSlotIsForgottenAndNotReplacedUntilTheNextUse) {
  WarmPool pool(2);
  const auto slots = fill(pool, kStart);
  pool.lost(slots[0]);
  pool.lost(slots[0]);
  EXPECT_EQ(pool.idle(), 1U);
  EXPECT_THAT(pool.take(kStart), testing::Optional(slots[1]));
  EXPECT_THAT(pool.used(kStart), SizeIs(2));
}

TEST(Portal18WarmPool, RetiredPoolIsColdAgain) {
  WarmPool pool(5);
  fill(pool, kStart);
  pool.retire(kStart + seconds(31));
  EXPECT_TRUE(pool.warm_up(kStart + seconds(31)));
}

}  // namespace
}  // namespace portunus::portal::client
