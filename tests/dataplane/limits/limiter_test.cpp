#include "dataplane/limits/limiter.hpp"

#include <gtest/gtest.h>

namespace portunus::dataplane::limits {
namespace {

using namespace std::chrono_literals;
using model::Protocol;
using model::RateLimit;
using model::Reject;

constexpr SteadyTime kStart{1h};

std::uint64_t rejects(const Limiter& limiter, Reject reason) {
  return limiter.traffic().rejects[static_cast<std::size_t>(reason)];
}

std::uint64_t all_rejects(const Limiter& limiter) {
  std::uint64_t sum = 0;
  for (const std::uint64_t count : limiter.traffic().rejects) sum += count;
  return sum;
}

TEST(Limiter, without_an_envelope_nothing_is_refused_but_everything_is_counted) {
  Limiter limiter;
  EXPECT_FALSE(limiter.capped());
  EXPECT_FALSE(limiter.shapes());
  EXPECT_EQ(limiter.burst(Direction::in), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(limiter.rate(Direction::out), 0U);
  EXPECT_EQ(limiter.take(Direction::in, 1'000'000'000, kStart), 0us);
  EXPECT_TRUE(limiter.take_datagram(Direction::out, 65'507, kStart));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(limiter.enter(kStart), Limiter::Verdict::admitted);
  EXPECT_EQ(limiter.traffic().active, 5U);
}

TEST(Limiter, RL_1_each_direction_and_the_connections_have_a_bucket_of_their_own) {
  Limiter limiter;
  limiter.apply(RateLimit{.bandwidth_in_bps = 1000,
                          .bandwidth_out_bps = 2000,
                          .new_connections_per_sec = 2,
                          .bandwidth_out_burst = 500,
                          .new_connections_burst = 3},
                kStart);
  EXPECT_EQ(limiter.burst(Direction::in), 1000U) << "default burst: one second of the rate";
  EXPECT_EQ(limiter.burst(Direction::out), 500U);
  EXPECT_EQ(limiter.take(Direction::in, 1000, kStart), 0us);
  EXPECT_EQ(limiter.take(Direction::out, 500, kStart), 0us);
  EXPECT_EQ(limiter.take(Direction::in, 1, kStart), 1000us);
  EXPECT_EQ(limiter.take(Direction::out, 1, kStart), 500us);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limiter.enter(kStart), Limiter::Verdict::admitted);
  EXPECT_EQ(limiter.enter(kStart), Limiter::Verdict::rate);
  EXPECT_EQ(limiter.enter(kStart + 499ms), Limiter::Verdict::rate);
  EXPECT_EQ(limiter.enter(kStart + 500ms), Limiter::Verdict::admitted);
}

TEST(Limiter, RL_2_owner_first_and_a_rule_refusal_returns_the_slot_but_not_the_token) {
  Limiter owner, rule;
  owner.apply(RateLimit{.new_connections_per_sec = 1, .new_connections_burst = 3}, kStart);
  rule.apply(RateLimit{.concurrent_connections = 1}, kStart);
  EXPECT_EQ(admit(&owner, rule, Protocol::tcp, kStart), std::nullopt);
  EXPECT_EQ(admit(&owner, rule, Protocol::tcp, kStart), Reject::conn_concurrent);
  EXPECT_EQ(owner.traffic().active, 1U) << "the owner's slot was not given back";
  EXPECT_EQ(admit(&owner, rule, Protocol::tcp, kStart), Reject::conn_concurrent);
  // Three tokens are spent although only one connection runs; now the owner refuses.
  EXPECT_EQ(admit(&owner, rule, Protocol::tcp, kStart), Reject::owner_conn_rate);
  leave(&owner, rule);
  EXPECT_EQ(owner.traffic().active, 0U);
  EXPECT_EQ(rule.traffic().active, 0U);
}

TEST(Limiter, RL_2_an_owner_refusal_leaves_the_rule_untouched) {
  Limiter owner, rule;
  owner.apply(RateLimit{.concurrent_connections = 1}, kStart);
  rule.apply(RateLimit{.new_connections_per_sec = 1, .new_connections_burst = 2}, kStart);
  EXPECT_EQ(admit(&owner, rule, Protocol::tcp, kStart), std::nullopt);
  EXPECT_EQ(admit(&owner, rule, Protocol::tcp, kStart), Reject::owner_concurrent);
  EXPECT_EQ(rule.traffic().active, 1U);
  leave(&owner, rule);
  EXPECT_EQ(admit(&owner, rule, Protocol::tcp, kStart), std::nullopt)
      << "the refused connection has spent a token of the rule";
}

TEST(Limiter, RL_2_inside_a_layer_the_rate_is_asked_before_the_slot) {
  Limiter limiter;
  limiter.apply(
      RateLimit{
          .new_connections_per_sec = 1, .concurrent_connections = 1, .new_connections_burst = 2},
      kStart);
  EXPECT_EQ(limiter.enter(kStart), Limiter::Verdict::admitted);
  EXPECT_EQ(limiter.enter(kStart), Limiter::Verdict::concurrent);
  EXPECT_EQ(limiter.enter(kStart), Limiter::Verdict::rate) << "the refused one spent no token";
}

TEST(Limiter, RL_3_a_slot_is_held_until_it_is_left) {
  Limiter limiter;
  limiter.apply(RateLimit{.concurrent_connections = 2}, kStart);
  EXPECT_EQ(limiter.enter(kStart), Limiter::Verdict::admitted);
  EXPECT_EQ(limiter.enter(kStart), Limiter::Verdict::admitted);
  EXPECT_EQ(limiter.enter(kStart + 1h), Limiter::Verdict::concurrent);
  EXPECT_EQ(limiter.traffic().active, 2U);
  limiter.leave();
  EXPECT_EQ(limiter.enter(kStart + 1h), Limiter::Verdict::admitted);
}

TEST(Limiter, RL_6_reasons_by_layer_and_protocol_each_counted_where_it_belongs) {
  struct Case {
    RateLimit owner, rule;
    Protocol protocol;
    Reject reason;
    bool in_owner;
  };
  const RateLimit rate{.new_connections_per_sec = 1};
  const RateLimit ceiling{.concurrent_connections = 1};
  const Case cases[]{
      {{}, rate, Protocol::tcp, Reject::conn_rate, false},
      {{}, rate, Protocol::udp, Reject::udp_flow_rate, false},
      {{}, ceiling, Protocol::tcp, Reject::conn_concurrent, false},
      {{}, ceiling, Protocol::udp, Reject::conn_concurrent, false},
      {rate, {}, Protocol::tcp, Reject::owner_conn_rate, true},
      {rate, {}, Protocol::udp, Reject::owner_udp_flow_rate, true},
      {ceiling, {}, Protocol::tcp, Reject::owner_concurrent, true},
      {ceiling, {}, Protocol::udp, Reject::owner_concurrent, true},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(model::reject_name(c.reason));
    Limiter owner, rule;
    owner.apply(c.owner, kStart);
    rule.apply(c.rule, kStart);
    ASSERT_EQ(admit(&owner, rule, c.protocol, kStart), std::nullopt);
    EXPECT_EQ(admit(&owner, rule, c.protocol, kStart), c.reason);
    EXPECT_EQ(rejects(c.in_owner ? owner : rule, c.reason), 1U);
    EXPECT_EQ(all_rejects(owner) + all_rejects(rule), 1U);
  }
}

TEST(Limiter, RL_6_a_rule_without_an_owner_has_one_layer) {
  Limiter rule;
  rule.apply(RateLimit{.concurrent_connections = 1}, kStart);
  EXPECT_EQ(admit(nullptr, rule, Protocol::tcp, kStart), std::nullopt);
  EXPECT_EQ(admit(nullptr, rule, Protocol::tcp, kStart), Reject::conn_concurrent);
  leave(nullptr, rule);
  EXPECT_EQ(rule.traffic().active, 0U);
}

TEST(Limiter, RL_7_throttle_time_adds_up_per_direction) {
  Limiter limiter;
  limiter.count_throttle(Direction::in, 5us);
  limiter.count_throttle(Direction::in, 7us);
  limiter.count_throttle(Direction::out, 100us);
  EXPECT_EQ(limiter.traffic().throttle_us_in, 12U);
  EXPECT_EQ(limiter.traffic().throttle_us_out, 100U);
}

TEST(Limiter, RL_9_a_chunk_is_a_tenth_of_a_second_within_8_and_64_KiB_and_the_smallest_burst) {
  Limiter owner, rule;
  const auto chunk = [&](Direction direction) { return capped_chunk(&owner, rule, direction); };
  EXPECT_EQ(chunk(Direction::in), 65'536U);
  rule.apply(RateLimit{.bandwidth_in_bps = 200'000}, kStart);
  EXPECT_EQ(chunk(Direction::in), 20'000U);
  EXPECT_EQ(chunk(Direction::out), 65'536U) << "the cap of the other direction";
  rule.apply(RateLimit{.bandwidth_in_bps = 20'000}, kStart);
  EXPECT_EQ(chunk(Direction::in), 8192U);
  rule.apply(RateLimit{.bandwidth_in_bps = 20'000'000}, kStart);
  EXPECT_EQ(chunk(Direction::in), 65'536U);
  rule.apply(RateLimit{.bandwidth_in_bps = 20'000'000, .bandwidth_in_burst = 200'000}, kStart);
  owner.apply(RateLimit{.bandwidth_in_bps = 1'000'000}, kStart);
  EXPECT_EQ(chunk(Direction::in), 65'536U);
  owner.apply(RateLimit{.bandwidth_in_bps = 300'000, .bandwidth_in_burst = 3000}, kStart);
  EXPECT_EQ(chunk(Direction::in), 3000U);
  EXPECT_EQ(capped_chunk(nullptr, rule, Direction::in), 65'536U);
  owner.apply(RateLimit{.bandwidth_in_bps = 1}, kStart);
  EXPECT_EQ(chunk(Direction::in), 1U);
}

TEST(Limiter, RL_9_a_datagram_above_the_burst_needs_a_full_bucket) {
  Limiter limiter;
  limiter.apply(RateLimit{.bandwidth_in_bps = 1000}, kStart);
  EXPECT_TRUE(limiter.take_datagram(Direction::in, 60'000, kStart));
  EXPECT_FALSE(limiter.take_datagram(Direction::in, 1, kStart));
  EXPECT_FALSE(limiter.take_datagram(Direction::in, 60'000, kStart + 999ms));
  EXPECT_TRUE(limiter.take_datagram(Direction::in, 60'000, kStart + 1s));
}

TEST(Limiter, RL_11_surviving_and_added_buckets) {
  Limiter limiter;
  limiter.apply(RateLimit{.bandwidth_in_bps = 1000}, kStart);
  ASSERT_EQ(limiter.take(Direction::in, 1000, kStart), 0us);
  limiter.apply(RateLimit{.bandwidth_in_bps = 500, .bandwidth_out_bps = 100}, kStart);
  EXPECT_EQ(limiter.take(Direction::in, 1, kStart), 2000us) << "an emptied bucket was refilled";
  EXPECT_EQ(limiter.take(Direction::out, 100, kStart), 0us) << "an added one was not full";
  limiter.apply(std::nullopt, kStart);
  EXPECT_FALSE(limiter.capped());
  EXPECT_EQ(limiter.take(Direction::in, 1'000'000, kStart), 0us);
}

TEST(Limiter, RL_12_live_counts_survive_every_envelope) {
  Limiter limiter;
  for (int i = 0; i < 3; ++i) ASSERT_EQ(limiter.enter(kStart), Limiter::Verdict::admitted);
  limiter.apply(RateLimit{.concurrent_connections = 2}, kStart);
  EXPECT_EQ(limiter.traffic().active, 3U) << "nobody is disconnected";
  EXPECT_EQ(limiter.enter(kStart), Limiter::Verdict::concurrent);
  limiter.leave();
  EXPECT_EQ(limiter.enter(kStart), Limiter::Verdict::concurrent);
  limiter.leave();
  EXPECT_EQ(limiter.enter(kStart), Limiter::Verdict::admitted);
  limiter.apply(std::nullopt, kStart);
  limiter.apply(RateLimit{.concurrent_connections = 2}, kStart);
  EXPECT_EQ(limiter.enter(kStart), Limiter::Verdict::concurrent);
}

}  // namespace
}  // namespace portunus::dataplane::limits
