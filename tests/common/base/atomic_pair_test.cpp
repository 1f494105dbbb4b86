#include "common/base/atomic_pair.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace portunus {
namespace {

TEST(AtomicPair, exchanges_both_words_or_none) {
  AtomicPair pair;
  AtomicPair::Words seen = pair.peek();
  EXPECT_EQ(seen, (AtomicPair::Words{0, 0}));
  EXPECT_TRUE(pair.exchange(seen, {1, 2}));
  EXPECT_EQ(pair.first(), 1U);
  EXPECT_EQ(pair.second(), 2U);

  AtomicPair::Words half{1, 0};
  EXPECT_FALSE(pair.exchange(half, {7, 7}));
  EXPECT_EQ(half, (AtomicPair::Words{1, 2}));
  EXPECT_EQ(pair.peek(), (AtomicPair::Words{1, 2}));
}

TEST(AtomicPair, loses_no_change_of_many_threads) {
  constexpr std::uint64_t kTurns = 20'000;
  constexpr unsigned kThreads = 4;
  AtomicPair pair;
  std::vector<std::jthread> threads;
  for (unsigned i = 0; i < kThreads; ++i) {
    threads.emplace_back([&pair] {
      for (std::uint64_t turn = 0; turn < kTurns; ++turn) {
        AtomicPair::Words seen = pair.peek();
        while (!pair.exchange(seen, {seen.first + 1, seen.second + 3})) {
        }
      }
    });
  }
  threads.clear();
  EXPECT_EQ(pair.peek(), (AtomicPair::Words{kThreads * kTurns, 3 * kThreads * kTurns}));
}

}  // namespace
}  // namespace portunus
