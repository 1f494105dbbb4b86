#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "dataplane/limits/limiter.hpp"
#include "dataplane/limits/token_bucket.hpp"

namespace portunus::dataplane::limits {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kStart{1h};
constexpr unsigned kThreads = 4;

template <class Body>
void on_threads(Body body) {
  std::vector<std::jthread> threads;
  for (unsigned i = 0; i < kThreads; ++i) threads.emplace_back(body, i);
}

TEST(LimiterThreads, RL_1_many_threads_take_exactly_what_there_is) {
  // The clock advances with every attempt of anybody, in steps that are worth a third of a token,
  // and the threads use what they read late and out of order.
  constexpr std::uint64_t kBurst = 1000;
  constexpr std::int64_t kSteps = 60'000;
  TokenBucket bucket;
  bucket.set(1000, kBurst, kStart);
  std::atomic<std::int64_t> clock{0};
  std::atomic<std::uint64_t> taken{0};
  on_threads([&](unsigned) {
    while (true) {
      const std::int64_t step = clock.fetch_add(1);
      if (step > kSteps) return;
      const SteadyTime now = kStart + step * 333us;
      while (bucket.take(7, now) == 0us) taken += 7;
    }
  });
  const SteadyTime end = kStart + kSteps * 333us;
  while (bucket.take(1, end) == 0us) ++taken;
  // 60000 * 333 us * 1000/s = 19980 tokens on top of the burst. The bucket was never full again, so
  // not one of them may be missing or too much.
  EXPECT_EQ(taken.load(), kBurst + 19'980U);
}

TEST(LimiterThreads, RL_11_changes_of_the_envelope_meet_takes) {
  // Tokens come only with time, and time stands still: whatever the terms become meanwhile, a
  // surviving bucket hands out no more than it held.
  TokenBucket bucket;
  bucket.set(1000, 100'000, kStart);
  std::atomic<std::uint64_t> taken{0};
  std::atomic<bool> stop{false};
  std::jthread owner([&] {
    for (std::uint64_t i = 0; !stop; ++i) bucket.set(1000 + i % 7, 100'000 + i % 5, kStart);
  });
  on_threads([&](unsigned i) {
    while (bucket.take(i + 1, kStart) == 0us) taken += i + 1;
  });
  stop = true;
  owner.join();
  while (bucket.take(1, kStart) == 0us) ++taken;
  EXPECT_EQ(taken.load(), 100'000U);
}

TEST(LimiterThreads, RL_3_the_ceiling_holds_once_settled_and_every_slot_comes_back) {
  Limiter owner, rule;
  owner.apply(model::RateLimit{.concurrent_connections = 5}, kStart);
  rule.apply(model::RateLimit{.concurrent_connections = 3}, kStart);
  std::atomic<int> inside{0}, most{0};
  std::atomic<std::uint64_t> admitted{0};
  on_threads([&](unsigned) {
    for (int i = 0; i < 20'000; ++i) {
      if (admit(&owner, rule, model::Protocol::tcp, kStart)) continue;
      const int now_inside = ++inside;
      for (int seen = most; seen < now_inside && !most.compare_exchange_weak(seen, now_inside);) {
      }
      ++admitted;
      --inside;
      leave(&owner, rule);
    }
  });
  EXPECT_LE(most.load(), 3);
  EXPECT_GT(admitted.load(), 0U);
  EXPECT_EQ(owner.traffic().active, 0U);
  EXPECT_EQ(rule.traffic().active, 0U);
  const auto owners = owner.traffic().rejects;
  const auto rules = rule.traffic().rejects;
  std::uint64_t refused = 0;
  for (std::size_t i = 0; i < model::kRejects; ++i) refused += owners[i] + rules[i];
  EXPECT_EQ(refused + admitted, kThreads * 20'000U);
}

}  // namespace
}  // namespace portunus::dataplane::limits
