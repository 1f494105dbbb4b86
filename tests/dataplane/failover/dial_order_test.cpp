#include "dataplane/failover/dial_order.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace portunus::dataplane::failover {
namespace {

std::string text(const Order& order) {
  std::string out;
  for (std::size_t i = 0; i < order.count; ++i) out += std::to_string(order.rows[i]);
  return out;
}

Order preference_of(const std::vector<std::uint32_t>& priorities) {
  std::vector<model::Target> targets;
  for (const std::uint32_t priority : priorities) {
    targets.push_back({.host = "10.0.0.1", .port = 1, .priority = priority});
  }
  return preference(targets);
}

void fail(TargetHealth& health) {
  for (int i = 0; i < 3; ++i) health.record_failure(SteadyTime{}, 1);
}

TEST(DialOrder, FO_1_by_priority_then_row) {
  EXPECT_EQ(text(preference_of({0, 1, 2})), "012");
  EXPECT_EQ(text(preference_of({2, 1, 0})), "210");
  EXPECT_EQ(text(preference_of({5, 0, 5, 0, 4294967295, 0, 5, 1})), "13570264");
  EXPECT_EQ(text(preference_of({7, 7, 7, 7, 7, 7, 7, 7})), "01234567");
  EXPECT_EQ(text(preference_of({9})), "0");
}

TEST(DialOrder, FO_4_the_first_healthy_one_then_all_others_in_preference_order) {
  const Order preferred = preference_of({3, 2, 1, 0});
  std::array<TargetHealth, 4> health;
  EXPECT_EQ(text(dial_order(preferred, health)), "3210");
  fail(health[3]);
  EXPECT_EQ(text(dial_order(preferred, health)), "2310");
  fail(health[2]);
  EXPECT_EQ(text(dial_order(preferred, health)), "1320");
  fail(health[1]);
  EXPECT_EQ(text(dial_order(preferred, health)), "0321");
}

TEST(DialOrder, FO_4_a_failed_one_behind_the_first_healthy_keeps_its_place) {
  const Order preferred = preference_of({0, 1, 2});
  std::array<TargetHealth, 3> health;
  fail(health[1]);
  EXPECT_EQ(text(dial_order(preferred, health)), "012");
}

TEST(DialOrder, FO_4_with_none_healthy_it_starts_at_the_most_preferred) {
  const Order preferred = preference_of({1, 0, 2});
  std::array<TargetHealth, 3> health;
  for (TargetHealth& one : health) fail(one);
  EXPECT_EQ(text(dial_order(preferred, health)), "102");
}

TEST(DialOrder, FO_7_a_recovered_target_takes_its_place_again) {
  const Order preferred = preference_of({0, 1});
  std::array<TargetHealth, 2> health;
  fail(health[0]);
  EXPECT_EQ(text(dial_order(preferred, health)), "10");
  health[0].record_success(SteadyTime{}, 1);
  EXPECT_EQ(text(dial_order(preferred, health)), "10");
  health[0].record_success(SteadyTime{}, 1);
  EXPECT_EQ(text(dial_order(preferred, health)), "01");
}

}  // namespace
}  // namespace portunus::dataplane::failover
