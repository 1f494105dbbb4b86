#include "dataplane/tcp/shaper.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <vector>

namespace portunus::dataplane::tcp {
namespace {

using namespace std::chrono_literals;
using limits::Direction;

/// Connections that always have bytes, in one direction under one owner and one rule.
class ShaperTest : public testing::Test {
 protected:
  struct Flow final : ShapedFlow {
    Flow(ShaperTest& t, TokenLane* owner, TokenLane& rule) : test(t), shaper(*this, owner, rule) {}
    void on_unparked(Direction) override {
      ++unparked;
      if (then) then();
    }
    /// Pays for `bytes` in as many pieces as it takes without waiting.
    std::size_t pay(std::size_t bytes) {
      std::size_t sum = 0;
      while (sum < bytes) {
        const std::size_t paid = shaper.pay(bytes - sum);
        if (paid == 0) break;
        sum += paid;
      }
      return sum;
    }
    ShaperTest& test;
    Shaper shaper;
    int unparked = 0;
    std::function<void()> then;
  };

  Flow& flow(bool with_owner = true) {
    flows_.push_back(
        std::make_unique<Flow>(*this, with_owner ? &owner_lane_ : nullptr, rule_lane_));
    return *flows_.back();
  }
  static model::RateLimit cap(std::uint64_t rate, std::uint64_t burst) {
    return {.bandwidth_in_bps = rate, .bandwidth_in_burst = burst};
  }
  static void limit(limits::Limiter& limiter, const std::optional<model::RateLimit>& envelope) {
    limiter.apply(envelope, std::chrono::steady_clock::now());
  }
  static double micros_since(SteadyTime begin) {
    const auto time = std::chrono::steady_clock::now() - begin;
    return std::chrono::duration<double, std::micro>(time).count();
  }
  bool run_until(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (!condition() && std::chrono::steady_clock::now() < end) {
      context_.restart();
      context_.run_one_for(50ms);
    }
    return condition();
  }

  boost::asio::io_context context_{1};
  reactor::Poller poller_{context_};
  reactor::Alarms alarms_{context_, poller_};
  limits::Limiter owner_;
  limits::Limiter rule_;
  TokenLane owner_lane_{owner_, Direction::in, alarms_};
  TokenLane rule_lane_{rule_, Direction::in, alarms_};
  std::vector<std::unique_ptr<Flow>> flows_;
};

TEST_F(ShaperTest, RL_9_without_a_cap_everything_is_paid_at_once) {
  EXPECT_EQ(flow().shaper.pay(1'000'000'000), 1'000'000'000U);
  EXPECT_EQ(flow(false).shaper.pay(7), 7U);
  EXPECT_EQ(flow().shaper.chunk(), 65'536U);
}

TEST_F(ShaperTest, RL_7_missing_tokens_park_and_the_wait_is_counted_where_it_was_imposed) {
  limit(rule_, cap(20'000, 2000));
  Flow& one = flow();
  EXPECT_EQ(one.pay(2000), 2000U);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(one.shaper.pay(1000), 0U);
  EXPECT_EQ(one.shaper.pay(1000), 0U) << "parked twice";
  ASSERT_TRUE(run_until([&] { return one.unparked == 1; }));
  const double waited = micros_since(begin);
  EXPECT_EQ(one.shaper.pay(1000), 1000U);
  EXPECT_GE(rule_.traffic().throttle_us_in, 45'000U);
  EXPECT_LE(static_cast<double>(rule_.traffic().throttle_us_in), waited);
  EXPECT_EQ(rule_.traffic().throttle_us_out, 0U);
  EXPECT_EQ(owner_.traffic().throttle_us_in, 0U);
}

TEST_F(ShaperTest, RL_7_the_owner_is_asked_first_and_not_paid_twice) {
  limit(owner_, cap(20'000, 2000));
  limit(rule_, cap(20'000, 2000));
  Flow& one = flow();
  // The owner's tokens are there, the rule's are not.
  ASSERT_EQ(rule_.take(Direction::in, 2000, std::chrono::steady_clock::now()), 0us);
  EXPECT_EQ(one.shaper.pay(1000), 0U);
  ASSERT_TRUE(run_until([&] { return one.unparked == 1; }));
  EXPECT_EQ(one.shaper.pay(1000), 1000U);
  EXPECT_EQ(owner_.traffic().throttle_us_in, 0U);
  EXPECT_GT(rule_.traffic().throttle_us_in, 0U);

  // Now the other way round: the wait is the owner's, and the rule is not asked before.
  while (owner_.take(Direction::in, 10, std::chrono::steady_clock::now()) == 0us) {
  }
  const auto rule_waits = rule_.traffic().throttle_us_in;
  EXPECT_EQ(one.shaper.pay(500), 0U);
  ASSERT_TRUE(run_until([&] { return one.unparked == 2; }));
  EXPECT_GT(owner_.traffic().throttle_us_in, 0U);
  EXPECT_EQ(rule_.traffic().throttle_us_in, rule_waits);
}

TEST_F(ShaperTest, RL_9_nothing_asks_for_more_than_a_burst) {
  limit(rule_, cap(100'000, 1000));
  limit(owner_, cap(1'000'000, 30'000));
  Flow& one = flow();
  EXPECT_EQ(one.shaper.chunk(), 1000U);
  EXPECT_LE(one.shaper.pay(50'000), 1000U);
  std::size_t sum = 0;
  one.then = [&] { sum += one.pay(50'000); };
  one.then();
  EXPECT_TRUE(run_until([&] { return sum >= 3000; })) << sum;
}

TEST_F(ShaperTest, RL_10_a_raised_or_removed_cap_frees_who_is_parked_within_the_refresh) {
  limit(rule_, cap(1, 10));
  Flow& one = flow();
  ASSERT_EQ(one.pay(10), 10U);
  ASSERT_EQ(one.shaper.pay(10), 0U);
  const auto begin = std::chrono::steady_clock::now();
  limit(rule_, std::nullopt);
  ASSERT_TRUE(run_until([&] { return one.unparked == 1; }));
  // Five tokens would have taken five seconds.
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 3s);
}

TEST_F(ShaperTest, RL_10_a_burst_lowered_below_what_was_asked_for_does_not_park_for_ever) {
  limit(rule_, cap(1'000'000, 1'000'000));
  Flow& one = flow();
  while (one.shaper.pay(60'000) > 0) {
  }
  limit(rule_, cap(10'000, 100));
  ASSERT_TRUE(run_until([&] { return one.unparked == 1; }));
  EXPECT_GT(one.shaper.pay(60'000), 0U);
}

TEST_F(ShaperTest, RL_7_a_lane_serves_in_turn_and_counts_every_waiter) {
  limit(rule_, cap(1'000'000, 20'000));
  ASSERT_EQ(rule_.take(Direction::in, 20'000, std::chrono::steady_clock::now()), 0us);
  constexpr std::size_t kFlows = 8;
  std::vector<std::size_t> sums(kFlows);
  for (std::size_t i = 0; i < kFlows; ++i) {
    Flow& f = flow();
    f.then = [&f, &sums, i] { sums[i] += f.pay(10'000'000); };
    f.then();
  }
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(run_until([&] { return std::chrono::steady_clock::now() - begin > 300ms; }));
  const auto [least, most] = std::ranges::minmax(sums);
  EXPECT_GT(least, 0U);
  EXPECT_LE(most - least, 20'000U) << "somebody was served out of turn";
  const double waited = micros_since(begin);
  EXPECT_NEAR(static_cast<double>(rule_.traffic().throttle_us_in) / kFlows, waited, 0.1 * waited);
}

TEST_F(ShaperTest, RL_7_a_flow_that_ends_while_parked_leaves_the_line_to_the_next) {
  limit(rule_, cap(100'000, 2000));
  ASSERT_EQ(rule_.take(Direction::in, 2000, std::chrono::steady_clock::now()), 0us);
  auto gone = std::make_unique<Flow>(*this, nullptr, rule_lane_);
  EXPECT_EQ(gone->shaper.pay(1000), 0U);
  Flow& next = flow();
  EXPECT_EQ(next.shaper.pay(1000), 0U);
  gone.reset();
  EXPECT_TRUE(run_until([&] { return next.unparked == 1; }));
}

TEST_F(ShaperTest, RL_7_who_waits_costs_no_processor_time) {
  limit(rule_, cap(10, 10));
  ASSERT_EQ(rule_.take(Direction::in, 10, std::chrono::steady_clock::now()), 0us);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(flow().shaper.pay(10'000), 0U);
  const auto begin = std::chrono::steady_clock::now();
  std::size_t handlers = 0;
  while (std::chrono::steady_clock::now() - begin < 250ms) {
    context_.restart();
    handlers += context_.run_one_for(50ms);
  }
  EXPECT_LE(handlers, 10U);
}

}  // namespace
}  // namespace portunus::dataplane::tcp
