// Portal contract 14 and 9: the limiter's arithmetic, and that of the deadline.

#include "portal/relay/pacer.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <thread>
#include <vector>

#include "portal/relay/auth_deadline.hpp"
#include "portal/relay/counters.hpp"

namespace portunus::portal::relay {
namespace {

using namespace std::chrono_literals;

const SteadyTime kStart{1000s};

TEST(PortalPacer, Section19_10_AHundredBytesASecond) {
  Pacer pacer(100);
  EXPECT_EQ(pacer.reserve(50, kStart), kStart + 500ms);
  EXPECT_EQ(pacer.reserve(50, kStart + 500ms), kStart + 1s);
}

TEST(PortalPacer, Section14_ReservationsQueueInOrder) {
  Pacer pacer(100);
  EXPECT_EQ(pacer.reserve(50, kStart), kStart + 500ms);
  EXPECT_EQ(pacer.reserve(50, kStart), kStart + 1s);
  EXPECT_EQ(pacer.reserve(100, kStart + 100ms), kStart + 2s);
}

TEST(PortalPacer, Section14_IdleTimeIsNoBurst) {
  Pacer pacer(100);
  pacer.reserve(50, kStart);
  EXPECT_EQ(pacer.reserve(50, kStart + 1h), kStart + 1h + 500ms);
}

TEST(PortalPacer, Section14_RoundsDownButTakesAtLeastANanosecond) {
  Pacer thirds(3'000'000'000);
  EXPECT_EQ(thirds.reserve(1, kStart), kStart + 1ns) << "a third of one is still one";
  Pacer pacer(3);
  EXPECT_EQ(pacer.reserve(1, kStart), kStart + 333'333'333ns);
}

TEST(PortalPacer, Section14_NoBytesNoWait) {
  Pacer pacer(1);
  EXPECT_EQ(pacer.reserve(0, kStart), kStart);
  EXPECT_EQ(pacer.reserve(1, kStart), kStart + 1s);
}

TEST(PortalPacer, Section14_ZeroIsNoLimiter) {
  Pacer pacer(0);
  EXPECT_FALSE(pacer.limited());
  EXPECT_EQ(pacer.reserve(std::size_t{1} << 40, kStart), kStart);
}

TEST(PortalPacer, Section19_10_RateIsInMegabits) {
  EXPECT_EQ(Pacer::bytes_per_second(8), 1'000'000U);
  EXPECT_EQ(Pacer::bytes_per_second(2147483647), 268435455875000U);
}

TEST(PortalPacer, Section17_ResetForgetsTheBacklog) {
  Pacers pacers{Pacer(1), Pacer(1)};
  pacers.uplink.reserve(1000, kStart);
  pacers.downlink.reserve(1000, kStart);
  pacers.reset();
  EXPECT_EQ(pacers.uplink.reserve(1, kStart), kStart + 1s);
  EXPECT_EQ(pacers.downlink.reserve(1, kStart), kStart + 1s);
}

TEST(PortalPacer, Section14_AbsurdChunksDoNotWrapAround) {
  Pacer pacer(1);
  const SteadyTime first = pacer.reserve(std::numeric_limits<std::size_t>::max(), kStart);
  EXPECT_GT(first, kStart + std::chrono::hours(24 * 365 * 90));
  for (int i = 0; i < 5; ++i) {
    EXPECT_GE(pacer.reserve(std::numeric_limits<std::size_t>::max(), kStart), first);
  }
}

TEST(PortalPacer, Section14_ThreadsLoseNothing) {
  Pacer pacer(1'000'000'000);
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&pacer] {
      for (int i = 0; i < 10000; ++i) pacer.reserve(10, kStart);
    });
  }
  threads.clear();
  EXPECT_EQ(pacer.reserve(10, kStart), kStart + 10ns * 40001);
}

TEST(PortalDeadline, Section9_JitterIsFrom80To120Percent) {
  EXPECT_EQ(jittered(5s, 0), 4s);
  EXPECT_EQ(jittered(5s, 2000), 5s);
  EXPECT_EQ(jittered(5s, 4000), 6s);
  EXPECT_EQ(jittered(5s, 4001), 4s) << "r mod 4001";
  EXPECT_EQ(jittered(5s, std::nullopt), 5s) << "no randomness: base itself";
  EXPECT_EQ(jittered(0s, 4000), 0s);
  EXPECT_EQ(jittered(9999ns, 4000), 11998ns);
}

TEST(PortalDeadline, Section15_NoDurationOverflows) {
  const auto most = std::chrono::nanoseconds::max();
  EXPECT_EQ(jittered(most, 4000), most);
  EXPECT_EQ(deadline_after(kStart, most), SteadyTime::max());
  EXPECT_EQ(AuthDeadline(kStart, most, 4000).at(), SteadyTime::max());
}

TEST(PortalDeadline, Section9_TheSystemsDrawIsWithinTheWindow) {
  for (int i = 0; i < 100; ++i) {
    const SteadyTime at = AuthDeadline::start(kStart, 5s).at();
    EXPECT_GE(at, kStart + 4s);
    EXPECT_LE(at, kStart + 6s);
  }
}

TEST(PortalCounters, Section4_GaugesFollowTheirHolders) {
  Counters counters(2);
  Counted outer;
  {
    const Counted one(counters.core(0).tcps);
    Counted two(counters.core(1).tcps);
    outer = std::move(two);
    EXPECT_EQ(counters.totals().tcps, 2);
  }
  EXPECT_EQ(counters.totals().tcps, 1);
  outer.release();
  outer.release();
  EXPECT_EQ(counters.totals().tcps, 0);
  counters.core(0).udp_tx.add(3);
  counters.core(1).udp_tx.add(4);
  EXPECT_EQ(counters.totals().udp_tx, 7U);
}

}  // namespace
}  // namespace portunus::portal::relay
