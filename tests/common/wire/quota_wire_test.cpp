#include "common/wire/quota_wire.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace portunus::wire {
namespace {

QuotaUpdate set() {
  QuotaUpdate update{"q1", "alice", "01J00000000000000000000001", "edge-01", model::QuotaState{}};
  update.state->monthly_bytes = 100;
  update.state->budget_remaining_bytes = std::numeric_limits<std::int64_t>::min();
  update.state->period_started_at = 1'704'067'200;
  update.state->period_ends_at = std::numeric_limits<std::int64_t>::max();
  update.state->exhausted = true;
  return update;
}

TEST(QuotaWire, a_set_travels_whole) {
  v1::TrafficQuotaUpdate out;
  quota_to_wire(set(), out);
  EXPECT_EQ(out.action(), v1::TRAFFIC_QUOTA_ACTION_SET);
  const auto back = quota_from_wire(out);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->request_id, "q1");
  EXPECT_EQ(back->user_id, "alice");
  EXPECT_EQ(back->client_id, set().client_id);
  EXPECT_EQ(back->client_name, "edge-01");
  EXPECT_EQ(back->state, set().state);
}

TEST(QuotaWire, a_set_of_nothing_but_zeroes_still_has_its_state) {
  v1::TrafficQuotaUpdate out;
  quota_to_wire({"", "alice", "", "", model::QuotaState{}}, out);
  EXPECT_TRUE(out.has_state());
  EXPECT_EQ(quota_from_wire(out)->state, model::QuotaState{});
}

TEST(QuotaWire, a_remove_travels_without_a_state) {
  v1::TrafficQuotaUpdate out;
  quota_to_wire({"q2", "alice", "", "edge-01", {}}, out);
  EXPECT_EQ(out.action(), v1::TRAFFIC_QUOTA_ACTION_REMOVE);
  EXPECT_FALSE(out.has_state());
  out.mutable_state()->set_monthly_bytes(1);  // a peer's, which means nothing
  const auto back = quota_from_wire(out);
  ASSERT_TRUE(back);
  EXPECT_FALSE(back->state);
}

TEST(QuotaWire, faults_are_told_apart) {
  v1::TrafficQuotaUpdate update;
  update.mutable_state()->set_monthly_bytes(1);
  for (const int action : {0, 77}) {
    update.set_action(static_cast<v1::TrafficQuotaAction>(action));
    EXPECT_EQ(quota_from_wire(update).error(), QuotaFault::unspecified_action);
  }
  update.set_action(v1::TRAFFIC_QUOTA_ACTION_SET);
  EXPECT_TRUE(quota_from_wire(update));
  update.clear_state();
  EXPECT_EQ(quota_from_wire(update).error(), QuotaFault::set_without_state);
}

}  // namespace
}  // namespace portunus::wire
