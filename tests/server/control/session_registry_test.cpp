#include "server/control/session_registry.hpp"

#include <gtest/gtest.h>

#include "tests/server/control/fake_ports.hpp"

namespace portunus::server::control {
namespace {

class SessionRegistryTest : public testing::Test {
 protected:
  std::shared_ptr<EdgeSession> session(std::uint64_t id, std::string client) {
    return std::make_shared<EdgeSession>(
        EdgeSession::Identity{SessionId{id}, std::move(client), "name", "addr", {}}, feed, limits,
        clock, WelcomeSettings{});
  }
  test::FakeFeed feed;
  test::FakeLimits limits;
  ManualClock clock;
  SessionRegistry registry;
};

TEST_F(SessionRegistryTest, CW_5_2_the_latest_session_of_a_client_wins) {
  const auto first = session(1, "a");
  const auto second = session(2, "a");
  EXPECT_EQ(registry.add(first), nullptr);
  EXPECT_EQ(registry.add(second), first);
  EXPECT_EQ(registry.size(), 1U);
  EXPECT_EQ(registry.find("a"), second.get());
}

TEST_F(SessionRegistryTest, CW_5_2_removing_touches_only_that_session) {
  const auto first = session(1, "a");
  const auto second = session(2, "a");
  registry.add(first);
  registry.add(second);
  EXPECT_FALSE(registry.remove(*first));
  EXPECT_EQ(registry.find("a"), second.get());
  EXPECT_TRUE(registry.remove(*second));
  EXPECT_FALSE(registry.remove(*second));
  EXPECT_EQ(registry.find("a"), nullptr);
  EXPECT_EQ(registry.size(), 0U);
}

TEST_F(SessionRegistryTest, clients_do_not_disturb_each_other) {
  const auto a = session(1, "a");
  const auto b = session(2, "b");
  registry.add(a);
  EXPECT_EQ(registry.add(b), nullptr);
  EXPECT_EQ(registry.all().size(), 2U);
  registry.remove(*a);
  EXPECT_EQ(registry.find("b"), b.get());
}

}  // namespace
}  // namespace portunus::server::control
