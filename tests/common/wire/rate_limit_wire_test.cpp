#include "common/wire/rate_limit_wire.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace portunus::wire {
namespace {

using Action = OwnerLimitUpdate::Action;

model::RateLimit every_cap() {
  model::RateLimit limit;
  limit.bandwidth_in_bps = std::numeric_limits<std::uint64_t>::max();
  limit.bandwidth_out_bps = 2;
  limit.new_connections_per_sec = 3;
  limit.concurrent_connections = std::numeric_limits<std::uint32_t>::max();
  limit.bandwidth_in_burst = std::numeric_limits<std::uint64_t>::max();
  limit.bandwidth_out_burst = 6;
  limit.new_connections_burst = 7;
  return limit;
}

TEST(RateLimitWire, every_cap_travels) {
  v1::RateLimit out;
  rate_limit_to_wire(every_cap(), out);
  const auto back = rate_limit_from_wire(out);
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, every_cap());
}

TEST(RateLimitWire, each_cap_travels_alone_under_its_number) {
  model::RateLimit limit;
  limit.bandwidth_out_bps = 5;
  v1::RateLimit out;
  rate_limit_to_wire(limit, out);
  EXPECT_EQ(out.SerializeAsString(), "\x10\x05");
  EXPECT_EQ(rate_limit_from_wire(out), limit);

  limit = {};
  limit.concurrent_connections = 6;
  out.Clear();
  rate_limit_to_wire(limit, out);
  EXPECT_EQ(out.SerializeAsString(), "\x20\x06");
}

TEST(RateLimitWire, caps_that_no_operator_could_set_are_faults) {
  using Fault = model::RateLimitFault;
  v1::RateLimit zero;
  zero.set_new_connections_per_sec(0);
  EXPECT_EQ(rate_limit_from_wire(zero), std::unexpected(Fault::cap_zero));
  v1::RateLimit burst;
  burst.set_bandwidth_out_burst(1);
  EXPECT_EQ(rate_limit_from_wire(burst), std::unexpected(Fault::burst_without_rate));
  burst.set_bandwidth_out_bps(1);
  burst.set_bandwidth_out_burst(61);
  EXPECT_EQ(rate_limit_from_wire(burst), std::unexpected(Fault::burst_range));
}

TEST(OwnerLimitWire, a_set_travels_with_its_caps) {
  const OwnerLimitUpdate update{Action::set, "01J00000000000000000000001", "edge-01", "alice",
                                every_cap()};
  v1::OwnerRateLimitUpdate out;
  owner_limit_to_wire(update, out);
  const auto back = owner_limit_from_wire(out);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->action, Action::set);
  EXPECT_EQ(back->client_id, update.client_id);
  EXPECT_EQ(back->client_name, "edge-01");
  EXPECT_EQ(back->owner_id, "alice");
  EXPECT_EQ(back->limit, every_cap());
}

TEST(OwnerLimitWire, a_set_without_caps_clears) {
  for (const auto& limit : {std::optional<model::RateLimit>{}, {model::RateLimit{}}}) {
    v1::OwnerRateLimitUpdate out;
    owner_limit_to_wire({Action::set, "", "edge-01", "alice", limit}, out);
    EXPECT_FALSE(out.has_rate_limit());  // never an empty one
    const auto back = owner_limit_from_wire(out);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->action, Action::set);
    EXPECT_FALSE(back->limit);
  }
  v1::OwnerRateLimitUpdate empty;
  empty.set_action(v1::OWNER_RATE_LIMIT_ACTION_SET);
  empty.mutable_rate_limit();
  EXPECT_FALSE(owner_limit_from_wire(empty)->limit);
}

TEST(OwnerLimitWire, the_caps_of_a_remove_are_not_looked_at) {
  v1::OwnerRateLimitUpdate out;
  owner_limit_to_wire({Action::remove, "", "edge-01", "alice", every_cap()}, out);
  EXPECT_FALSE(out.has_rate_limit());
  out.mutable_rate_limit()->set_bandwidth_in_bps(0);
  const auto back = owner_limit_from_wire(out);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->action, Action::remove);
  EXPECT_FALSE(back->limit);
}

TEST(OwnerLimitWire, faults_are_told_apart) {
  v1::OwnerRateLimitUpdate update;
  for (const int action : {0, 77}) {
    update.set_action(static_cast<v1::OwnerRateLimitAction>(action));
    EXPECT_EQ(owner_limit_from_wire(update).error(), OwnerLimitFault::unspecified_action);
  }
  update.set_action(v1::OWNER_RATE_LIMIT_ACTION_SET);
  update.mutable_rate_limit()->set_bandwidth_in_bps(0);
  EXPECT_EQ(owner_limit_from_wire(update).error(), OwnerLimitFault::invalid_caps);
}

}  // namespace
}  // namespace portunus::wire
