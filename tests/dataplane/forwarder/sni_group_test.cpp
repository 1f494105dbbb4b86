// Who may share a port, and what his coming and going does to the others.

#include <gtest/gtest.h>

#include <vector>

#include "tests/dataplane/support/sni.hpp"
#include "tests/support/log_capture.hpp"

namespace portunus::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

bool ready(const std::future<void>& future, milliseconds patience = milliseconds(0)) {
  return future.wait_for(patience) == std::future_status::ready;
}

class SniGroupTest : public testing::Test {
 protected:
  std::string add(std::uint64_t id, const Server& target,
                  std::optional<std::string> pattern = std::nullopt) {
    return engine_.activate(sni_rule(id, port_, target, std::move(pattern)));
  }
  bool in_sni_mode() { return engine_.sni(port_).has_value(); }

  Server a_{says('a')}, b_{says('b')}, f_{says('f')};
  const std::uint16_t port_ = free_port();
  // Lives longer than the engine, whose threads write to it.
  const LogCapture log_;
  SniEngine engine_;
};

TEST_F(SniGroupTest, SNI_2_the_first_rule_fixes_the_mode_with_a_pattern) {
  ASSERT_EQ(add(1, a_, "a.example.com"), "");
  EXPECT_TRUE(in_sni_mode());
  EXPECT_EQ(ask_for(port_, "a.example.com"), "a");
  EXPECT_EQ(ask_v4(port_, "not TLS"), kDropped);
  const std::string port = "\"listen_port\":" + std::to_string(port_);
  EXPECT_EQ(log_.count("tls.sni_listener.bound", {port, "\"rule_id\":\"1\""}), 1U);
  EXPECT_EQ(log_.count("tls.sni_group.member_added", {port, "\"members\":1"}), 1U);
  // Two workers, a socket for each family.
  EXPECT_EQ(log_.count("tls.sni_listener.started", {port}), 4U);
  EXPECT_EQ(log_.count("rule.activated", {port}), 1U);
}

TEST_F(SniGroupTest, SNI_2_the_first_rule_fixes_the_mode_without_a_pattern) {
  ASSERT_EQ(add(1, a_), "");
  EXPECT_FALSE(in_sni_mode());
  // Never inspected.
  EXPECT_EQ(ask_v4(port_, "not TLS"), "a");
}

TEST_F(SniGroupTest, SNI_2_a_plain_port_takes_no_second_plain_rule) {
  ASSERT_EQ(add(1, a_), "");
  EXPECT_EQ(add(2, b_), "port_in_use");
}

TEST_F(SniGroupTest, SNI_2_a_plain_port_takes_no_pattern) {
  ASSERT_EQ(add(1, a_), "");
  EXPECT_EQ(add(2, b_, "b.example.com"), "mode_change_unsupported");
  EXPECT_FALSE(engine_.live(2));
  EXPECT_EQ(ask_v4(port_, "not TLS"), "a");
}

TEST_F(SniGroupTest, SNI_2_an_unused_pattern_is_accepted_with_or_without_a_fallback) {
  ASSERT_EQ(add(1, a_, "a.example.com"), "");
  ASSERT_EQ(add(2, b_, "b.example.com"), "");
  ASSERT_EQ(add(3, f_), "");
  ASSERT_EQ(add(4, b_, "*.b.example.com"), "");
  EXPECT_EQ(ask_for(port_, "a.example.com"), "a");
  EXPECT_EQ(ask_for(port_, "b.example.com"), "b");
  EXPECT_EQ(ask_for(port_, "x.b.example.com"), "b");
  EXPECT_EQ(ask_for(port_, "other.example.com"), "f");
}

TEST_F(SniGroupTest, SNI_2_a_pattern_already_present_is_refused) {
  ASSERT_EQ(add(1, a_, "*.example.com"), "");
  EXPECT_EQ(add(2, b_, "*.example.com"), "duplicate_rule_id");
  EXPECT_FALSE(engine_.live(2));
  EXPECT_EQ(ask_for(port_, "x.example.com"), "a");
  EXPECT_EQ(log_.count("tls.sni_table.rebuild_failed", {"pattern already present"}), 1U);
  EXPECT_EQ(log_.count("rule.failed", {"\"rule_id\":\"2\"", "duplicate_rule_id"}), 1U);
}

TEST_F(SniGroupTest, SNI_2_a_second_fallback_is_refused) {
  ASSERT_EQ(add(1, a_, "a.example.com"), "");
  ASSERT_EQ(add(2, f_), "");
  EXPECT_EQ(add(3, b_), "duplicate_rule_id");
  EXPECT_EQ(ask_for(port_, "other.example.com"), "f");
  EXPECT_EQ(log_.count("tls.sni_table.rebuild_failed", {"fallback already present"}), 1U);
}

TEST_F(SniGroupTest, SNI_2_a_range_and_a_port_in_sni_mode_collide_either_way) {
  // The port that is shared is the last of three.
  const auto first = static_cast<std::uint16_t>(port_ - 2);
  auto range = sni_rule(1, first, a_);
  range.ports = 3;
  range.targets[0].port = 1000;
  ASSERT_EQ(engine_.activate(range), "");
  EXPECT_EQ(add(2, b_, "b.example.com"), "port_in_use");
  engine_.remove(1, milliseconds(0)).get();
  ASSERT_EQ(add(2, b_, "b.example.com"), "");
  EXPECT_EQ(engine_.activate(range), "port_in_use:" + std::to_string(port_));
}

TEST_F(SniGroupTest, SNI_1_a_range_takes_no_pattern) {
  auto range = sni_rule(1, port_, a_, "a.example.com");
  range.ports = 2;
  EXPECT_EQ(engine_.activate(range), "range_invalid");
}

TEST_F(SniGroupTest, SNI_1_a_udp_rule_takes_no_pattern_and_does_not_meet_the_group) {
  auto udp = sni_rule(1, port_, a_, "a.example.com");
  udp.protocol = model::Protocol::udp;
  EXPECT_EQ(engine_.activate(udp), "unsupported_protocol");
  ASSERT_EQ(add(2, a_, "a.example.com"), "");
  udp.sni_pattern.reset();
  ASSERT_EQ(engine_.activate(udp), "");
  engine_.remove(1, milliseconds(0)).get();
  EXPECT_EQ(ask_for(port_, "a.example.com"), "a");
}

TEST_F(SniGroupTest, SNI_2_a_group_reduced_to_its_fallback_stays_in_sni_mode_until_it_empties) {
  ASSERT_EQ(add(1, a_, "a.example.com"), "");
  ASSERT_EQ(add(2, f_), "");
  engine_.remove(1, milliseconds(0)).get();
  EXPECT_TRUE(in_sni_mode());
  EXPECT_EQ(ask_for(port_, "a.example.com"), "f");
  EXPECT_EQ(ask_v4(port_, "not TLS"), kDropped);
  // Patterns may join it again.
  ASSERT_EQ(add(3, b_, "b.example.com"), "");
  EXPECT_EQ(ask_for(port_, "b.example.com"), "b");
  engine_.remove(3, milliseconds(0)).get();
  engine_.remove(2, milliseconds(0)).get();
  EXPECT_FALSE(in_sni_mode());
  // Bound anew it comes up as a plain rule.
  ASSERT_EQ(add(2, f_), "");
  EXPECT_FALSE(in_sni_mode());
  EXPECT_EQ(ask_v4(port_, "not TLS"), "f");
}

TEST_F(SniGroupTest, SNI_2_members_that_are_activated_at_once_all_join) {
  constexpr std::uint64_t kRules = 12;
  std::vector<std::future<std::string>> started;
  for (std::uint64_t id = 1; id <= kRules; ++id) {
    started.push_back(engine_.begin_activate(
        sni_rule(id, port_, id % 2 == 0 ? a_ : b_, "n" + std::to_string(id) + ".example.com")));
  }
  for (auto& one : started) EXPECT_EQ(one.get(), "");
  for (std::uint64_t id = 1; id <= kRules; ++id) {
    EXPECT_EQ(ask_for(port_, "n" + std::to_string(id) + ".example.com"), id % 2 == 0 ? "a" : "b");
  }
}

TEST_F(SniGroupTest, SNI_2_of_the_same_pattern_activated_at_once_one_wins) {
  auto first = engine_.begin_activate(sni_rule(1, port_, a_, "a.example.com"));
  auto second = engine_.begin_activate(sni_rule(2, port_, b_, "a.example.com"));
  EXPECT_EQ(first.get(), "");
  EXPECT_EQ(second.get(), "duplicate_rule_id");
}

TEST_F(SniGroupTest, SNI_2_a_foreign_holder_of_the_port_is_port_in_use) {
  Engine other;
  ASSERT_EQ(other.activate(sni_rule(1, port_, a_)), "");
  EXPECT_EQ(add(1, a_, "a.example.com"), "port_in_use");
  EXPECT_FALSE(in_sni_mode());
  other.remove(1, milliseconds(0)).get();
  EXPECT_EQ(add(1, a_, "a.example.com"), "");
}

TEST_F(SniGroupTest, SNI_2_other_ports_and_ids_go_on_with_their_own_mode) {
  ASSERT_EQ(add(1, a_, "a.example.com"), "");
  EXPECT_EQ(add(1, b_, "b.example.com"), "duplicate_rule_id");
  const std::uint16_t plain = engine_.serve(2, b_.port());
  EXPECT_EQ(ask_v4(plain, "not TLS"), "b");
  EXPECT_EQ(engine_.forwarder().sni_ports().size(), 1U);
}

TEST_F(SniGroupTest, SNI_3_established_connections_are_unaffected_by_changes) {
  ASSERT_EQ(add(1, a_, "a.example.com"), "");
  ASSERT_EQ(add(2, f_), "");
  Socket client = Socket::connect_v4(port_);
  ASSERT_EQ(ask(client, client_hello("a.example.com")), "a");
  ASSERT_EQ(add(3, b_, "b.example.com"), "");
  engine_.remove(2, milliseconds(0)).get();
  auto removed = engine_.remove(1, seconds(30));
  ASSERT_TRUE(eventually([&] { return ask_for(port_, "a.example.com") == kDropped; }));
  client.send("still here");
  EXPECT_EQ(client.receive(10), "still here");
  EXPECT_FALSE(ready(removed));
  client.close();
  removed.get();
}

TEST_F(SniGroupTest, SNI_3_a_connection_uses_the_snapshot_it_took) {
  ASSERT_EQ(add(1, a_, "a.example.com"), "");
  ASSERT_EQ(add(2, f_), "");
  Socket old_name = Socket::connect_v4(port_);
  Socket new_name = Socket::connect_v4(port_);
  // Each has begun, so that it was accepted, before the membership changes.
  const std::string hello_a = client_hello("a.example.com");
  const std::string hello_b = client_hello("b.example.com");
  old_name.send(hello_a.substr(0, 10));
  new_name.send(hello_b.substr(0, 10));
  ASSERT_TRUE(accepted(old_name) && accepted(new_name));
  auto removed = engine_.remove(1, seconds(30));
  ASSERT_EQ(add(3, b_, "b.example.com"), "");
  EXPECT_EQ(ask_for(port_, "a.example.com"), "f");
  EXPECT_EQ(ask_for(port_, "b.example.com"), "b");
  // The removed rule is not gone while somebody may still be its.
  EXPECT_FALSE(ready(removed));
  old_name.send(hello_a.substr(10));
  new_name.send(hello_b.substr(10));
  EXPECT_EQ(old_name.receive(1 + hello_a.size()), "a" + hello_a);
  EXPECT_EQ(new_name.receive(1 + hello_b.size()), "f" + hello_b);
  old_name.close();
  removed.get();
}

TEST_F(SniGroupTest, DRN_2_the_deadline_does_not_wait_for_a_peek) {
  Acceptor target;
  auto rule = Engine::rule(1, port_, target.port());
  rule.sni_pattern = "a.example.com";
  ASSERT_EQ(engine_.activate(rule), "");
  ASSERT_EQ(add(2, f_), "");
  Socket client = Socket::connect_v4(port_);
  const std::string hello = client_hello("a.example.com");
  client.send(hello.substr(0, 10));
  ASSERT_TRUE(accepted(client));
  const auto begin = std::chrono::steady_clock::now();
  engine_.remove(1, milliseconds(100)).get();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, milliseconds(2500));
  // It asks for a rule that is gone.
  client.send(hello.substr(10));
  EXPECT_EQ(client.receive_all(), "");
  EXPECT_EQ(client.error(), ECONNRESET);
  EXPECT_FALSE(target.pending());
}

TEST_F(SniGroupTest, DRN_4_removing_one_leaves_its_siblings_alone) {
  ASSERT_EQ(add(1, a_, "a.example.com"), "");
  ASSERT_EQ(add(2, b_, "b.example.com"), "");
  Socket sibling = Socket::connect_v4(port_);
  ASSERT_EQ(ask(sibling, client_hello("b.example.com")), "b");
  engine_.remove(1, milliseconds(0)).get();
  EXPECT_EQ(ask_for(port_, "a.example.com"), kDropped);
  EXPECT_EQ(ask_for(port_, "b.example.com"), "b");
  sibling.send("still here");
  EXPECT_EQ(sibling.receive(10), "still here");
  EXPECT_EQ(log_.count("tls.sni_group.member_removed", {"\"rule_id\":\"1\"", "\"members\":1"}), 1U);
  EXPECT_EQ(log_.count("tls.sni_listener.unbound"), 0U);
  EXPECT_EQ(log_.count("rule.removed", {"\"rule_id\":\"1\""}), 1U);
}

TEST_F(SniGroupTest, DRN_4_removing_the_last_closes_the_listener_and_drains) {
  ASSERT_EQ(add(1, a_, "a.example.com"), "");
  Socket client = Socket::connect_v4(port_);
  ASSERT_EQ(ask(client, client_hello("a.example.com")), "a");
  auto removed = engine_.remove(1, seconds(30));
  EXPECT_TRUE(eventually([&] { return !Socket::try_connect(port_).valid(); }, seconds(1)));
  EXPECT_FALSE(in_sni_mode());
  client.send("still here");
  EXPECT_EQ(client.receive(10), "still here");
  EXPECT_FALSE(ready(removed));
  EXPECT_EQ(log_.count("tls.sni_listener.unbound", {"\"rule_id\":\"1\""}), 1U);
  EXPECT_TRUE(eventually([&] { return log_.count("tls.sni_listener.stopped") == 4; }));
  client.close();
  removed.get();
  EXPECT_EQ(log_.count("rule.removed"), 1U);
}

TEST_F(SniGroupTest, DRN_4_who_is_being_peeked_when_the_last_member_goes_is_still_served) {
  ASSERT_EQ(add(1, a_, "a.example.com"), "");
  Socket client = Socket::connect_v4(port_);
  const std::string hello = client_hello("a.example.com");
  client.send(hello.substr(0, 10));
  ASSERT_TRUE(accepted(client));
  auto removed = engine_.remove(1, seconds(30));
  // The port is free at once, also for a new group.
  ASSERT_EQ(add(2, b_, "a.example.com"), "");
  EXPECT_EQ(ask_for(port_, "a.example.com"), "b");
  EXPECT_FALSE(ready(removed));
  client.send(hello.substr(10));
  EXPECT_EQ(client.receive(1 + hello.size()), "a" + hello);
  client.close();
  removed.get();
}

TEST_F(SniGroupTest, DRN_7_drain_and_destruction_end_what_is_being_peeked) {
  const std::size_t before = count_descriptors();
  for (const bool drain : {true, false}) {
    SniEngine engine;
    const auto port = free_port();
    ASSERT_EQ(engine.activate(sni_rule(1, port, a_, "a.example.com")), "");
    Socket client = Socket::connect_v4(port);
    ASSERT_TRUE(accepted(client));
    if (drain) {
      engine.drain(milliseconds(50)).get();
    } else {
      engine.destroy();
    }
    EXPECT_EQ(client.receive_all(), "");
    EXPECT_EQ(client.error(), ECONNRESET);
  }
  EXPECT_EQ(count_descriptors(), before);
}

}  // namespace
}  // namespace portunus::test
