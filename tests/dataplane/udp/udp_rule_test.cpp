#include "dataplane/udp/udp_rule.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace portunus::dataplane::udp {
namespace {

using std::chrono::milliseconds;

std::shared_ptr<UdpRule> rule_with(model::UdpSettings settings) {
  model::RuleSpec spec;
  spec.protocol = model::Protocol::udp;
  spec.listen_port = 53;
  spec.targets = {{.host = "127.0.0.1", .port = 53}};
  auto live = std::make_shared<rules::LiveRule>(std::move(spec), nullptr, 4);
  return std::make_shared<UdpRule>(std::move(live), settings);
}

TEST(UdpRule, UDP_4_the_cap_is_not_overshot_by_concurrent_reservations) {
  constexpr std::uint32_t kCap = 100;
  const auto rule = rule_with({.max_flows = kCap});
  std::atomic<std::uint32_t> held = 0;
  std::atomic<std::uint32_t> most = 0;
  std::atomic<bool> overshot = false;
  {
    std::vector<std::jthread> workers;
    for (int w = 0; w < 4; ++w) {
      workers.emplace_back([&] {
        for (int i = 0; i < 100'000; ++i) {
          if (!rule->reserve_flow()) continue;
          const std::uint32_t now = ++held;
          if (now > kCap) overshot = true;
          if (now > most) most = now;
          if (now + 1 >= kCap || i % 3 == 0) {
            --held;
            rule->release_flow();
          }
        }
      });
    }
  }
  EXPECT_FALSE(overshot);
  EXPECT_GE(most, kCap - 1);
  EXPECT_EQ(rule->flows(), held);
}

TEST(UdpRule, UDP_4_at_the_cap_nobody_is_let_in_until_one_leaves) {
  const auto rule = rule_with({.max_flows = 2});
  EXPECT_TRUE(rule->reserve_flow());
  EXPECT_TRUE(rule->reserve_flow());
  EXPECT_FALSE(rule->reserve_flow());
  EXPECT_EQ(rule->flows(), 2U);
  rule->release_flow();
  EXPECT_TRUE(rule->reserve_flow());
}

TEST(UdpRule, UDP_4_a_cap_that_is_lowered_refuses_newcomers_and_ends_nobody) {
  const auto rule = rule_with({.max_flows = 3});
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(rule->reserve_flow());
  rule->tune({.max_flows = 2});
  EXPECT_EQ(rule->flows(), 3U);
  rule->release_flow();
  EXPECT_FALSE(rule->reserve_flow());
  rule->tune({.max_flows = 3});
  EXPECT_TRUE(rule->reserve_flow());
}

TEST(UdpRule, UDP_13_sweeps_every_quarter_of_the_window_but_not_below_25_ms) {
  EXPECT_EQ(sweep_period(std::chrono::seconds(60)), std::chrono::seconds(15));
  EXPECT_EQ(sweep_period(std::chrono::seconds(30)), milliseconds(7500));
  EXPECT_EQ(sweep_period(milliseconds(100)), milliseconds(25));
  EXPECT_EQ(sweep_period(milliseconds(40)), milliseconds(25));
}

TEST(UdpRule, UDP_13_takes_another_window_in_place) {
  const auto rule = rule_with({.flow_idle = std::chrono::seconds(60)});
  EXPECT_EQ(rule->idle_window(), milliseconds(60'000));
  rule->tune({.flow_idle = std::chrono::seconds(30)});
  EXPECT_EQ(rule->idle_window(), milliseconds(30'000));
}

}  // namespace
}  // namespace portunus::dataplane::udp
