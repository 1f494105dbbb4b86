// On a port in SNI mode the gates and caps are those of the rule that the name selects.

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>

#include "tests/dataplane/support/sni.hpp"
#include "tests/support/log_capture.hpp"

namespace portunus::test {
namespace {

using dataplane::Forwarder;

/// Rule 1 is a.example.com of alice, rule 2 b.example.com of bob.
class SniLimitsTest : public testing::Test {
 protected:
  void serve(std::optional<model::RateLimit> alices_rule = std::nullopt) {
    auto a = Engine::rule(1, port_, target_.port());
    a.sni_pattern = "a.example.com";
    a.owner_id = "alice";
    a.rate_limit = alices_rule;
    auto b = sni_rule(2, port_, b_, "b.example.com");
    b.owner_id = "bob";
    ASSERT_EQ(engine_.activate(a), "");
    ASSERT_EQ(engine_.activate(b), "");
  }
  /// What a connection for a.example.com that the gates refuse sees.
  void expect_refused() {
    Socket client = Socket::connect_v4(port_);
    client.send(hello_);
    EXPECT_EQ(client.receive_all(), "");
    EXPECT_EQ(client.error(), ECONNRESET);
    EXPECT_FALSE(target_.pending());
  }

  const LogCapture log_;
  Acceptor target_;
  Server b_{says('b')};
  const std::string hello_ = client_hello("a.example.com");
  const std::uint16_t port_ = free_port();
  SniEngine engine_;
};

TEST_F(SniLimitsTest, SNI_9_who_finds_no_rule_draws_on_nobodys_cap) {
  serve(model::RateLimit{.new_connections_per_sec = 1, .new_connections_burst = 1});
  for (int i = 0; i < 5; ++i) EXPECT_EQ(ask_for(port_, "no.match"), kDropped);
  Socket client = Socket::connect_v4(port_);
  client.send(hello_);
  EXPECT_EQ(target_.accept().receive(hello_.size()), hello_);
}

TEST_F(SniLimitsTest, SNI_9_RL_3_the_slot_lasts_as_long_as_the_connection) {
  serve(model::RateLimit{.concurrent_connections = 1});
  for (int i = 0; i < 3; ++i) {
    Socket client = Socket::connect_v4(port_);
    client.send(hello_);
    Socket up = target_.accept();
    EXPECT_EQ(up.receive(hello_.size()), hello_);
    expect_refused();
    client.close();
    up.close();
    ASSERT_TRUE(eventually([&] { return engine_.traffic(1).limit.active == 0; }));
  }
  // Each was routed, whatever became of it then.
  EXPECT_EQ(engine_.traffic(1).sni_exact, 6U);
}

TEST_F(SniLimitsTest, SNI_9_the_owners_gate_is_that_of_the_matched_rules_owner) {
  serve();
  engine_.on_owner(
      [](Forwarder& f) { f.limit_owner("alice", model::RateLimit{.concurrent_connections = 1}); });
  Socket first = Socket::connect_v4(port_);
  first.send(hello_);
  const Socket up = target_.accept();
  expect_refused();
  EXPECT_EQ(ask_for(port_, "b.example.com"), "b");
  EXPECT_EQ(log_.count("tls.rate_limit_reject",
                       {"\"rule_id\":\"1\"", "\"scope\":\"owner\"", "owner_concurrent"}),
            1U);
}

TEST_F(SniLimitsTest, SNI_9_RL_7_the_captured_bytes_wait_for_the_caps_and_arrive_unmodified) {
  serve(model::RateLimit{.bandwidth_in_bps = 100'000, .bandwidth_in_burst = 1'000});
  Socket client = Socket::connect_v4(port_);
  const std::string bytes = hello_ + noise(20'000, 1);
  client.send(bytes);
  client.half_close();
  EXPECT_TRUE(target_.accept().receive_all() == bytes);
  EXPECT_GT(engine_.traffic(1).limit.throttle_us_in, 0U);
  EXPECT_TRUE(eventually([&] { return engine_.traffic(1).bytes_in == bytes.size(); }));
}

}  // namespace
}  // namespace portunus::test
