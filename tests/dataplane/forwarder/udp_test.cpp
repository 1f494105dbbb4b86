#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "tests/dataplane/support/datagram_sockets.hpp"
#include "tests/dataplane/support/engine.hpp"
#include "tests/support/log_capture.hpp"

namespace portunus::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// A UDP rule on `ports` free ports.
model::RuleSpec udp_rule(std::uint64_t id, std::uint16_t target_port, std::uint32_t ports = 1) {
  auto spec = Engine::rule(id, free_udp_port(ports), target_port);
  spec.protocol = model::Protocol::udp;
  spec.ports = ports;
  return spec;
}

UdpSocket client_of(std::uint16_t port) {
  UdpSocket client;
  client.connect(port);
  return client;
}

void expect_echo(UdpSocket& client, const std::string& text = "hello") {
  ASSERT_TRUE(client.send(text));
  EXPECT_EQ(client.receive(), text);
}

TEST(ForwarderUdp, LIFE_2_a_udp_rule_lives_and_is_removed) {
  const LogCapture log;
  UdpServer target;
  Engine engine;
  const auto spec = udp_rule(7, target.port());
  ASSERT_EQ(engine.activate(spec), "");
  EXPECT_TRUE(engine.live(7));
  const std::string port = std::to_string(spec.listen_port);
  EXPECT_EQ(log.count("rule.activated", {"\"protocol\":\"udp\"", "\"listen_port\":" + port}), 1U);
  EXPECT_EQ(log.count("rule.udp_runtime_started",
                      {"\"listen_port_start\":" + port, "\"listen_port_end\":" + port,
                       "\"range_size\":1", "\"rule_cap\":1024", "\"cap_scope\":\"per_rule\""}),
            1U);
  UdpSocket client = client_of(spec.listen_port);
  expect_echo(client);
  EXPECT_EQ(engine.traffic(7).active_flows, 1U);
  engine.remove(7, seconds(30)).get();
  EXPECT_FALSE(engine.live(7));
  EXPECT_EQ(log.count("rule.deactivated", {"\"protocol\":\"udp\"", "\"reason\":\"cancelled\""}),
            1U);
  EXPECT_EQ(log.count("rule.removed", {"\"protocol\":\"udp\""}), 1U);
  const auto lines = log.lines();
  const auto at = [&](const std::string& event) {
    for (std::size_t i = 0; i < lines.size(); ++i) {
      if (lines[i].contains("\"event\":\"" + event + "\"")) return i;
    }
    return lines.size();
  };
  EXPECT_LT(at("rule.udp_listener_drained"), at("rule.deactivated"));
  EXPECT_LT(at("rule.deactivated"), at("rule.removed"));
}

TEST(ForwarderUdp, DRN_1_UDP_16_removal_does_not_wait_for_flows) {
  UdpServer target;
  Engine engine;
  auto spec = udp_rule(1, target.port());
  ASSERT_EQ(engine.activate(spec), "");
  UdpSocket client = client_of(spec.listen_port);
  expect_echo(client);
  const auto begin = std::chrono::steady_clock::now();
  engine.remove(1, seconds(300)).get();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(10));
  // The port is free at once, for another rule as well.
  spec.id = RuleId{2};
  ASSERT_EQ(engine.activate(spec), "");
  expect_echo(client);
}

TEST(ForwarderUdp, UDP_1_D10_collides_with_udp_rules_and_foreign_sockets_but_not_with_tcp) {
  const LogCapture log;
  UdpServer target;
  Server stream;
  Engine engine;
  Engine other;
  auto spec = udp_rule(1, target.port());
  ASSERT_EQ(engine.activate(spec), "");
  auto again = spec;
  again.id = RuleId{2};
  EXPECT_EQ(engine.activate(again), "port_in_use");
  EXPECT_EQ(other.activate(again), "port_in_use");
  EXPECT_EQ(log.count("rule.failed", {"\"reason\":\"port_in_use\"",
                                      "\"offending_port\":" + std::to_string(spec.listen_port)}),
            2U);
  auto tcp = Engine::rule(3, spec.listen_port, stream.port());
  EXPECT_EQ(engine.activate(tcp), "");
  UdpSocket foreign("127.0.0.1");
  auto taken = udp_rule(4, target.port());
  taken.listen_port = foreign.port();
  EXPECT_EQ(engine.activate(taken), "port_in_use");
}

TEST(ForwarderUdp, RNG_3_a_range_fails_whole_and_names_the_port) {
  UdpServer target;
  Engine engine;
  auto spec = udp_rule(1, target.port(), 4);
  const auto third = static_cast<std::uint16_t>(spec.listen_port + 2);
  const std::size_t before = count_descriptors("socket:");
  {
    UdpSocket foreign("127.0.0.1", third);
    EXPECT_EQ(engine.activate(spec), "port_in_use:" + std::to_string(third));
  }
  EXPECT_EQ(count_descriptors("socket:"), before);
  EXPECT_EQ(engine.activate(spec), "");
}

TEST(ForwarderUdp, RNG_2_RNG_4_each_port_of_a_range_leads_to_its_own_and_counts_apart) {
  const std::uint16_t first_target = free_udp_port(3);
  std::vector<UdpSocket> targets;
  for (std::uint16_t i = 0; i < 3; ++i) {
    targets.emplace_back("127.0.0.1", static_cast<std::uint16_t>(first_target + i));
  }
  Engine engine;
  const auto spec = udp_rule(1, first_target, 3);
  ASSERT_EQ(engine.activate(spec), "");
  for (std::uint16_t i = 0; i < 3; ++i) {
    UdpSocket client = client_of(static_cast<std::uint16_t>(spec.listen_port + i));
    const std::string text(10U + i, 'x');
    ASSERT_TRUE(client.send(text));
    EXPECT_EQ(targets[i].receive(), text);
  }
  EXPECT_TRUE(eventually([&] { return engine.traffic(1).bytes_in == 33; }));
  const auto traffic = engine.traffic(1);
  ASSERT_EQ(traffic.ports.size(), 3U);
  EXPECT_EQ(traffic.ports[2].listen_port, spec.listen_port + 2);
  EXPECT_EQ(traffic.ports[2].bytes_in, 12U);
  EXPECT_EQ(traffic.ports[2].datagrams_in, 1U);
}

TEST(ForwarderUdp, RNG_5_LIFE_2_a_range_of_1024_ports_is_up_within_a_second) {
  UdpServer target;
  Engine engine;
  auto spec = udp_rule(1, 20'000, 1024);
  const std::size_t before = count_descriptors("socket:");
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_EQ(engine.activate(spec), "");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(1));
  EXPECT_EQ(count_descriptors("socket:"), before + 1024);
  engine.remove(1, seconds(0)).get();
  EXPECT_EQ(count_descriptors("socket:"), before);
}

TEST(ForwarderUdp, UDP_4_the_settings_of_the_session_bind_and_can_be_taken_over_in_place) {
  UdpServer target;
  Engine engine;
  const auto spec = udp_rule(1, target.port());
  ASSERT_EQ(engine.activate(spec), "");
  UdpSocket first = client_of(spec.listen_port);
  expect_echo(first);
  engine.tune_udp(1, {.max_flows = 1});
  UdpSocket second = client_of(spec.listen_port);
  ASSERT_TRUE(second.send("x"));
  EXPECT_TRUE(eventually([&] { return engine.traffic(1).flows_dropped_overflow == 1; }));
  engine.tune_udp(1, {.max_flows = 2});
  expect_echo(second);
  expect_echo(first);
}

TEST(ForwarderUdp, QUO_6_exhaustion_ends_the_owners_flows_within_a_second) {
  UdpServer target;
  Engine engine;
  auto spec = udp_rule(1, target.port());
  spec.owner_id = "bob";
  ASSERT_EQ(engine.activate(spec), "");
  engine.set_quota("bob", 1000, false);
  UdpSocket client = client_of(spec.listen_port);
  expect_echo(client);
  EXPECT_EQ(engine.traffic(1).active_flows, 1U);
  // Used up by traffic.
  ASSERT_TRUE(client.send(std::string(2000, 'x')));
  EXPECT_TRUE(eventually([&] { return engine.traffic(1).active_flows == 0; }));
  ASSERT_TRUE(client.send("x"));
  client.receive(milliseconds(50));
  EXPECT_EQ(engine.traffic(1).active_flows, 0U);
  engine.set_quota("bob", 1000, false);
  expect_echo(client);
  // Or by the server's word.
  engine.set_quota("bob", 1000, true);
  EXPECT_TRUE(eventually([&] { return engine.traffic(1).active_flows == 0; }));
}

TEST(ForwarderUdp, local_counters_show_what_no_report_carries) {
  UdpSocket target;
  const std::uint16_t closed = target.port();
  target.close();
  Engine engine;
  const auto spec = udp_rule(1, closed);
  ASSERT_EQ(engine.activate(spec), "");
  UdpSocket client = client_of(spec.listen_port);
  ASSERT_TRUE(client.send("x"));
  EXPECT_TRUE(eventually([&] {
    const auto all = engine.forwarder().local_counters();
    return all.size() == 1 && all.front().icmp_evict == 1;
  }));
}

TEST(ForwarderUdp, without_offload_the_same_arrives) {
  UdpServer target;
  Engine engine({.workers = 2, .udp_offload = false});
  const auto spec = udp_rule(1, target.port());
  ASSERT_EQ(engine.activate(spec), "");
  UdpSocket client = client_of(spec.listen_port);
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(client.send(std::to_string(i)));
  for (int i = 0; i < 50; ++i) EXPECT_EQ(client.receive(), std::to_string(i));
}

TEST(ForwarderUdp, DRN_7_the_end_of_the_engine_ends_flows_without_a_drain) {
  UdpServer target;
  Engine engine;
  const auto spec = udp_rule(1, target.port());
  ASSERT_EQ(engine.activate(spec), "");
  UdpSocket client = client_of(spec.listen_port);
  expect_echo(client);
  engine.destroy();
}

}  // namespace
}  // namespace portunus::test
