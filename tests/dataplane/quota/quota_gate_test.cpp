#include "dataplane/quota/quota_gate.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <thread>
#include <vector>

namespace portunus::dataplane::quota {
namespace {

TEST(QuotaGate, QUO_1_is_unmetered_until_it_is_set_and_again_once_removed) {
  QuotaGate gate;
  EXPECT_FALSE(gate.metered());
  EXPECT_FALSE(gate.exhausted());
  EXPECT_EQ(gate.remaining(), 0U);
  EXPECT_EQ(gate.take(1000).bytes, 1000U);
  gate.set(10, false);
  EXPECT_TRUE(gate.metered());
  EXPECT_EQ(gate.take(1000).bytes, 10U);
  EXPECT_TRUE(gate.exhausted());
  gate.remove();
  EXPECT_FALSE(gate.metered());
  EXPECT_FALSE(gate.exhausted());
  EXPECT_EQ(gate.take(1000).bytes, 1000U);
}

TEST(QuotaGate, QUO_3_a_stream_gets_what_is_left_to_the_byte) {
  QuotaGate gate;
  gate.set(100, false);
  EXPECT_EQ(gate.take(60).bytes, 60U);
  EXPECT_EQ(gate.remaining(), 40U);
  EXPECT_FALSE(gate.exhausted());
  EXPECT_EQ(gate.take(60).bytes, 40U);
  EXPECT_EQ(gate.take(60).bytes, 0U);
  EXPECT_EQ(gate.remaining(), 0U);
  EXPECT_TRUE(gate.exhausted());
}

TEST(QuotaGate, QUO_3_undelivered_bytes_come_back_unless_a_SET_came_in_between) {
  QuotaGate gate;
  gate.set(100, false);
  const auto first = gate.take(100);
  EXPECT_TRUE(gate.exhausted());
  gate.refund(first, 30);
  EXPECT_EQ(gate.remaining(), 30U);
  EXPECT_FALSE(gate.exhausted());

  const auto second = gate.take(20);
  gate.set(500, false);
  gate.refund(second, 20);
  EXPECT_EQ(gate.remaining(), 500U);

  const auto third = gate.take(100);
  gate.remove();
  gate.refund(third, 100);
  gate.set(7, false);
  gate.refund(third, 100);
  EXPECT_EQ(gate.remaining(), 7U);

  const auto unmetered = QuotaGate().take(50);
  gate.refund(unmetered, 50);
  EXPECT_EQ(gate.remaining(), 7U);
}

TEST(QuotaGate, QUO_3_never_gives_back_more_than_was_debited) {
  QuotaGate gate;
  gate.set(100, false);
  const auto datagram = gate.take_datagram(1000);
  gate.refund(datagram, 1000);
  EXPECT_EQ(gate.remaining(), 100U);
}

TEST(QuotaGate, QUO_6_a_datagram_goes_whole_while_anything_is_left) {
  QuotaGate gate;
  gate.set(1500, false);
  EXPECT_EQ(gate.take_datagram(1000).bytes, 1000U);
  EXPECT_GT(gate.take_datagram(1000).bytes, 0U);
  EXPECT_EQ(gate.remaining(), 0U);
  EXPECT_TRUE(gate.exhausted());
  EXPECT_EQ(gate.take_datagram(1).bytes, 0U);
}

TEST(QuotaGate, QUO_8_only_a_SET_clears_the_flag) {
  QuotaGate gate;
  gate.set(100, false);
  const auto grant = gate.take(50);
  gate.set(100, true);
  EXPECT_TRUE(gate.exhausted());
  EXPECT_EQ(gate.take(1).bytes, 0U);
  EXPECT_EQ(gate.take_datagram(1).bytes, 0U);
  EXPECT_EQ(gate.remaining(), 100U);
  gate.refund(grant, 50);
  EXPECT_TRUE(gate.exhausted());
  gate.set(1, false);
  EXPECT_FALSE(gate.exhausted());
  EXPECT_EQ(gate.take(5).bytes, 1U);
  gate.set(0, false);
  EXPECT_TRUE(gate.exhausted()) << "a budget of nothing is exhausted from the start";
}

TEST(QuotaGate, QUO_5_every_exhaustion_is_told_once_when_it_begins) {
  QuotaGate gate;
  int told = 0;
  gate.on_exhausted([&] { ++told; });
  gate.set(10, false);
  EXPECT_EQ(gate.take(9).bytes, 9U);
  EXPECT_EQ(told, 0);
  auto grant = gate.take(1);
  EXPECT_EQ(told, 1) << "nothing is left: nobody may have to ask in vain first";
  EXPECT_EQ(gate.take(1).bytes, 0U);
  gate.set(0, true);
  gate.set(50, true);
  EXPECT_EQ(told, 1) << "it went on, it did not begin";
  gate.set(5, false);
  grant = gate.take(100);
  EXPECT_EQ(told, 2);
  gate.refund(grant, 5);
  EXPECT_EQ(gate.take_datagram(100).bytes, 5U);
  EXPECT_EQ(told, 3) << "a refund ended it, a datagram began the next";
  gate.remove();
  gate.set(100, true);
  EXPECT_EQ(told, 4);
  gate.remove();
  gate.set(0, false);
  EXPECT_EQ(told, 5);
}

TEST(QuotaGate, the_largest_budget_is_a_budget) {
  QuotaGate gate;
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
  gate.set(kMax, false);
  const auto grant = gate.take(kMax);
  EXPECT_EQ(grant.bytes, kMax);
  gate.refund(grant, kMax);
  EXPECT_EQ(gate.remaining(), kMax);
}

template <class Body>
void on_threads(Body body) {
  std::vector<std::jthread> threads;
  for (unsigned i = 0; i < 4; ++i) threads.emplace_back(body, i);
}

TEST(QuotaGateThreads, QUO_7_many_threads_deliver_the_budget_to_the_byte) {
  for (int round = 0; round < 50; ++round) {
    QuotaGate gate;
    std::atomic<int> told{0};
    gate.on_exhausted([&] { ++told; });
    constexpr std::uint64_t kBudget = 1'000'003;
    gate.set(kBudget, false);
    std::atomic<std::uint64_t> delivered{0};
    on_threads([&](unsigned i) {
      const std::uint64_t batch = 1000 + 77 * i;
      while (true) {
        const auto grant = gate.take(batch);
        delivered += grant.bytes;
        if (grant.bytes < batch) return;
      }
    });
    EXPECT_EQ(delivered.load(), kBudget);
    EXPECT_EQ(told.load(), 1);
    EXPECT_TRUE(gate.exhausted());
  }
}

TEST(QuotaGateThreads, QUO_7_refunds_of_many_threads_lose_and_invent_nothing) {
  QuotaGate gate;
  constexpr std::uint64_t kBudget = 4'000'037;
  gate.set(kBudget, false);
  std::atomic<std::uint64_t> delivered{0};
  on_threads([&](unsigned i) {
    const std::uint64_t batch = 500 + 31 * i;
    // Every other batch is delivered in part only. Whoever finds nothing stops; the others may
    // still give back.
    for (std::uint64_t turn = 0;; ++turn) {
      const auto grant = gate.take(batch);
      if (grant.bytes == 0) return;
      const std::uint64_t undelivered = turn % 2 == 0 ? grant.bytes / 3 : 0;
      gate.refund(grant, undelivered);
      delivered += grant.bytes - undelivered;
    }
  });
  EXPECT_EQ(delivered + gate.remaining(), kBudget);
}

TEST(QuotaGateThreads, QUO_3_SETs_meet_takes_and_refunds) {
  // Every SET puts down the same budget. However takes and refunds of earlier ones interleave with
  // it, more than the budget can never remain.
  QuotaGate gate;
  constexpr std::uint64_t kBudget = 10'000;
  gate.set(kBudget, false);
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> highest{0};
  std::jthread owner([&] {
    for (int i = 0; i < 20'000; ++i) gate.set(kBudget, false);
    stop = true;
  });
  on_threads([&](unsigned) {
    while (!stop) {
      const auto grant = gate.take(3000);
      gate.refund(grant, grant.bytes);
      const std::uint64_t left = gate.remaining();
      for (std::uint64_t seen = highest;
           seen < left && !highest.compare_exchange_weak(seen, left);) {
      }
    }
  });
  owner.join();
  EXPECT_LE(highest.load(), kBudget);
}

}  // namespace
}  // namespace portunus::dataplane::quota
