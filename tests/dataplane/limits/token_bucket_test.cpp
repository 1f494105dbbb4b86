#include "dataplane/limits/token_bucket.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>

namespace portunus::dataplane::limits {
namespace {

using namespace std::chrono_literals;
using std::chrono::microseconds;

constexpr SteadyTime kStart{1'000'000h};
constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();

TEST(TokenBucket, RL_1_starts_full_and_holds_no_more_than_the_burst) {
  TokenBucket bucket;
  bucket.set(100, 250, kStart);
  EXPECT_EQ(bucket.take(250, kStart), 0us);
  EXPECT_GT(bucket.take(1, kStart), 0us);
  // An hour brings 360000 tokens, of which 250 find room.
  EXPECT_GT(bucket.take(251, kStart + 1h), 0us);
  EXPECT_EQ(bucket.take(250, kStart + 1h), 0us);
  EXPECT_GT(bucket.take(1, kStart + 1h), 0us);
}

TEST(TokenBucket, RL_1_take_is_all_or_nothing_and_says_how_long_the_missing_ones_need) {
  TokenBucket bucket;
  bucket.set(3, 10, kStart);
  ASSERT_EQ(bucket.take(8, kStart), 0us);
  // Two are left: 3 more need exactly a second, 2 more 666666.67 us, 1 more 333333.33 us.
  EXPECT_EQ(bucket.take(5, kStart), 1'000'000us);
  EXPECT_EQ(bucket.take(4, kStart), 666'667us);
  EXPECT_EQ(bucket.take(3, kStart), 333'334us);
  EXPECT_EQ(bucket.take(2, kStart), 0us) << "a short take has taken something";
  EXPECT_GT(bucket.take(1, kStart), 0us);
}

TEST(TokenBucket, RL_1_refills_by_the_microsecond) {
  TokenBucket bucket;
  bucket.set(1'000'000, 1'000'000, kStart);
  ASSERT_EQ(bucket.take(1'000'000, kStart), 0us);
  EXPECT_GT(bucket.take(1, kStart + 999ns), 0us);
  EXPECT_EQ(bucket.take(1, kStart + 1us), 0us);
  EXPECT_GT(bucket.take(1, kStart + 1us), 0us);
  EXPECT_EQ(bucket.take(7, kStart + 8us), 0us);
}

TEST(TokenBucket, RL_1_keeps_time_worth_less_than_one_token) {
  TokenBucket bucket;
  bucket.set(3, 3, kStart);
  ASSERT_EQ(bucket.take(3, kStart), 0us);
  // Asked every millisecond, each of which is worth 0.003 tokens: 3 come within the second.
  int taken = 0;
  for (int ms = 1; ms <= 1000; ++ms) {
    if (bucket.take(1, kStart + ms * 1ms) == 0us) ++taken;
  }
  EXPECT_EQ(taken, 3);
}

TEST(TokenBucket, RL_1_time_going_back_changes_nothing) {
  TokenBucket bucket;
  bucket.set(1000, 1000, kStart);
  ASSERT_EQ(bucket.take(1000, kStart + 1s), 0us);
  EXPECT_EQ(bucket.take(1, kStart), 1000us);
  EXPECT_EQ(bucket.take(1, kStart - 1h), 1000us);
  EXPECT_EQ(bucket.take(10, kStart + 1s + 10ms), 0us);
  EXPECT_EQ(bucket.take(1, kStart + 1s + 10ms), 1000us);
}

TEST(TokenBucket, RL_1_the_largest_numbers_do_not_overflow) {
  TokenBucket bucket;
  bucket.set(kMax, kMax, kStart);
  EXPECT_EQ(bucket.take(kMax, kStart), 0us);
  EXPECT_EQ(bucket.take(kMax, kStart), 1'000'000us);
  EXPECT_EQ(bucket.take(kMax / 2, kStart + 500ms), 0us);
  EXPECT_EQ(bucket.take(kMax, kStart + 24h * 365 * 100), 0us);

  bucket.set(1, kMax, kStart + 24h * 365 * 100);
  EXPECT_EQ(bucket.take(kMax, kStart + 24h * 365 * 100), microseconds::max());
}

TEST(TokenBucket, RL_1_agrees_with_exact_arithmetic) {
  std::mt19937_64 random(20'261'124);
  const auto up_to_bits = [&](unsigned most) { return random() >> (64 - 1 - random() % most); };
  for (int round = 0; round < 400; ++round) {
    const std::uint64_t rate = std::max<std::uint64_t>(1, up_to_bits(63));
    const std::uint64_t burst = std::max<std::uint64_t>(1, up_to_bits(63));
    TokenBucket bucket;
    bucket.set(rate, burst, kStart);
    // The model: whole tokens, and what is under way to the next one in millionths.
    unsigned __int128 tokens = burst, parts = 0;
    std::uint64_t at_us = 0;
    for (int step = 0; step < 200; ++step) {
      const std::uint64_t forward = random() % 4 == 0 ? 0 : up_to_bits(random() % 2 ? 12 : 40);
      const std::uint64_t below_us = random() % 1000;
      at_us += forward;
      parts += static_cast<unsigned __int128>(rate) * forward;
      tokens = std::min<unsigned __int128>(burst, tokens + parts / 1'000'000);
      parts %= 1'000'000;

      const auto have = static_cast<std::uint64_t>(tokens);
      std::uint64_t wanted = up_to_bits(63);
      if (random() % 4 == 0) wanted = have;
      if (random() % 4 == 0 && have < kMax) wanted = have + 1;
      const SteadyTime now =
          kStart + std::chrono::nanoseconds(static_cast<std::int64_t>(at_us * 1000 + below_us));
      const microseconds wait = bucket.take(wanted, now);
      if (wanted <= have) {
        ASSERT_EQ(wait, 0us) << rate << ' ' << burst << ' ' << at_us << ' ' << wanted;
        tokens -= wanted;
        continue;
      }
      const unsigned __int128 exact =
          (static_cast<unsigned __int128>(wanted - have) * 1'000'000 + rate - 1) / rate;
      const auto expected = exact > static_cast<unsigned __int128>(microseconds::max().count())
                                ? microseconds::max()
                                : microseconds(static_cast<std::int64_t>(exact));
      ASSERT_EQ(wait, expected) << rate << ' ' << burst << ' ' << at_us << ' ' << wanted;
      if (exact > 1'000'000'000'000 || wanted > burst) continue;
      // Having waited as told, it succeeds.
      at_us += static_cast<std::uint64_t>(exact);
      parts += static_cast<unsigned __int128>(rate) * static_cast<std::uint64_t>(exact);
      tokens = std::min<unsigned __int128>(burst, tokens + parts / 1'000'000);
      parts %= 1'000'000;
      ASSERT_EQ(bucket.take(wanted, kStart + microseconds(static_cast<std::int64_t>(at_us))), 0us);
      tokens -= wanted;
    }
  }
}

TEST(TokenBucket, RL_9_more_than_the_burst_never_succeeds_but_a_datagram_empties_a_full_bucket) {
  TokenBucket bucket;
  bucket.set(1000, 500, kStart);
  EXPECT_GT(bucket.take(501, kStart), 0us);
  EXPECT_GT(bucket.take(501, kStart + 1h), 0us);
  EXPECT_EQ(bucket.take_at_most_burst(65'507, kStart + 1h), 0us);
  EXPECT_EQ(bucket.take(1, kStart + 1h), 1000us) << "not emptied";
  EXPECT_EQ(bucket.take_at_most_burst(65'507, kStart + 1h + 499ms), 1000us);
  EXPECT_EQ(bucket.take_at_most_burst(65'507, kStart + 1h + 500ms), 0us);
}

TEST(TokenBucket, RL_11_a_surviving_bucket_keeps_its_tokens_and_a_new_one_starts_full) {
  TokenBucket bucket;
  bucket.set(1000, 1000, kStart);
  ASSERT_EQ(bucket.take(900, kStart), 0us);
  // 100 are left, and 50 have come since: both survive, at most the new burst of each.
  bucket.set(10, 600, kStart + 50ms);
  EXPECT_EQ(bucket.take(151, kStart + 50ms), 100'000us);
  EXPECT_EQ(bucket.take(150, kStart + 50ms), 0us);
  EXPECT_EQ(bucket.take(1, kStart + 149ms), 100'000us) << "the clock has not restarted";
  EXPECT_EQ(bucket.take(1, kStart + 150ms), 0us);

  bucket.set(1000, 1000, kStart + 1h);
  ASSERT_EQ(bucket.take(200, kStart + 1h), 0us) << "600 were there";
  bucket.set(1000, 300, kStart + 1h);
  EXPECT_EQ(bucket.take(300, kStart + 1h), 0us);
  EXPECT_EQ(bucket.take(1, kStart + 1h), 1000us);

  bucket.clear();
  EXPECT_FALSE(bucket.present());
  EXPECT_EQ(bucket.take(kMax, kStart + 1h), 0us);
  EXPECT_EQ(bucket.burst(), kMax);
  bucket.set(1000, 300, kStart + 1h);
  EXPECT_EQ(bucket.take(300, kStart + 1h), 0us) << "a new bucket was not full";
}

TEST(TokenBucket, RL_11_the_same_envelope_again_changes_nothing) {
  TokenBucket bucket;
  bucket.set(1, 2, kStart);
  ASSERT_EQ(bucket.take(2, kStart), 0us);
  bucket.set(1, 2, kStart + 900ms);
  EXPECT_EQ(bucket.take(1, kStart + 1s), 0us);
}

}  // namespace
}  // namespace portunus::dataplane::limits
