#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "dataplane/owners/owner_scope.hpp"
#include "tests/dataplane/support/datagram_sockets.hpp"
#include "tests/dataplane/udp/rig.hpp"
#include "tests/support/log_capture.hpp"

namespace portunus::test {
namespace {

using dataplane::owners::OwnerScope;
using model::Reject;

std::uint64_t rejects(const model::LimitTraffic& limit, Reject reason) {
  return limit.rejects[static_cast<std::size_t>(reason)];
}

UdpSocket client_of(const Rig::Rule& rule) {
  UdpSocket client;
  client.connect(rule->spec().listen_port);
  return client;
}

/// One token a second: of a crowd that comes at once most are refused.
constexpr model::RateLimit kOnePerSecond{.new_connections_per_sec = 1, .new_connections_burst = 1};
constexpr std::uint64_t kCrowd = 20;

void send_from_a_crowd(const Rig::Rule& rule) {
  for (std::uint64_t i = 0; i < kCrowd; ++i) ASSERT_TRUE(client_of(rule).send("x"));
}

TEST(UdpLimits, RL_4_RL_6_the_gate_runs_once_per_new_flow_and_refuses_in_silence) {
  const LogCapture log;
  UdpServer target;
  Rig rig;
  auto spec = Rig::rule(target.port());
  spec.rate_limit = kOnePerSecond;
  const auto rule = rig.serve(spec);
  UdpSocket first = client_of(rule);
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(first.send("x"));
    EXPECT_EQ(first.receive(), "x");
  }
  EXPECT_EQ(rejects(Rig::traffic(rule).limit, Reject::udp_flow_rate), 0U);
  send_from_a_crowd(rule);
  ASSERT_TRUE(eventually([&] {
    // A flow has its place before the gate judges it, so only the admitted ones tell the end.
    const auto limit = Rig::traffic(rule).limit;
    return rejects(limit, Reject::udp_flow_rate) + limit.active == kCrowd + 1 &&
           limit.active == rule->flows();
  }));
  EXPECT_GE(rejects(Rig::traffic(rule).limit, Reject::udp_flow_rate), 1U);
  EXPECT_GE(log.count("rule.udp_first_packet_rejected",
                      {"\"scope\":\"rule\"", "\"reason\":\"udp_flow_rate\""}),
            1U);
}

TEST(UdpLimits, RL_6_concurrency_keeps_its_reason_and_its_place_until_the_flow_ends) {
  UdpServer target;
  Rig rig;
  const auto owner = std::make_shared<OwnerScope>("bob");
  owner->limiter.apply(model::RateLimit{.concurrent_connections = 2},
                       std::chrono::steady_clock::now());
  auto spec = Rig::rule(target.port());
  spec.rate_limit = model::RateLimit{.concurrent_connections = 1};
  const auto rule = rig.serve(spec, {}, owner);
  UdpSocket first = client_of(rule);
  ASSERT_TRUE(first.send("x"));
  ASSERT_TRUE(first.receive());
  UdpSocket second = client_of(rule);
  ASSERT_TRUE(second.send("x"));
  ASSERT_TRUE(
      eventually([&] { return rejects(Rig::traffic(rule).limit, Reject::conn_concurrent) == 1; }));
  EXPECT_EQ(owner->limiter.traffic().active, 1U);
  rig.remove(rule);
  EXPECT_EQ(owner->limiter.traffic().active, 0U);
  EXPECT_EQ(rule->live().limiter().traffic().active, 0U);
}

TEST(UdpLimits, RL_6_an_owner_refusal_counts_with_the_owner_only) {
  const LogCapture log;
  UdpServer target;
  Rig rig;
  const auto owner = std::make_shared<OwnerScope>("bob");
  owner->limiter.apply(kOnePerSecond, std::chrono::steady_clock::now());
  const auto rule = rig.serve(Rig::rule(target.port()), {}, owner);
  send_from_a_crowd(rule);
  ASSERT_TRUE(eventually([&] {
    return rejects(owner->limiter.traffic(), Reject::owner_udp_flow_rate) + rule->flows() == kCrowd;
  }));
  EXPECT_GE(rejects(owner->limiter.traffic(), Reject::owner_udp_flow_rate), 1U);
  EXPECT_EQ(rejects(Rig::traffic(rule).limit, Reject::udp_flow_rate), 0U);
  EXPECT_GE(log.count("rule.udp_first_packet_rejected", {"\"scope\":\"owner\""}), 1U);
}

TEST(UdpLimits, RL_8_bandwidth_drops_by_the_datagram_in_each_direction) {
  UdpSocket target;
  Rig rig;
  auto spec = Rig::rule(target.port());
  spec.rate_limit = model::RateLimit{.bandwidth_in_bps = 100,
                                     .bandwidth_out_bps = 100,
                                     .bandwidth_in_burst = 2000,
                                     .bandwidth_out_burst = 1000};
  const auto rule = rig.serve(spec);
  UdpSocket client = client_of(rule);
  ASSERT_TRUE(client.send(std::string(900, 'a')));
  const auto seen = target.receive_from();
  ASSERT_TRUE(seen);
  ASSERT_TRUE(client.send(std::string(900, 'b')));
  ASSERT_TRUE(target.receive());
  ASSERT_TRUE(client.send(std::string(900, 'c')));
  ASSERT_TRUE(eventually([&] { return Rig::local(rule).bandwidth_dropped_in == 1; }));
  ASSERT_TRUE(client.send("d"));
  EXPECT_EQ(target.receive(), "d");
  EXPECT_TRUE(eventually([&] { return Rig::traffic(rule).bytes_in == 1801; }));

  ASSERT_TRUE(target.send_to(std::string(900, 'e'), seen->from));
  ASSERT_TRUE(client.receive());
  ASSERT_TRUE(target.send_to(std::string(900, 'f'), seen->from));
  ASSERT_TRUE(eventually([&] { return Rig::local(rule).bandwidth_dropped_out == 1; }));
  EXPECT_EQ(Rig::traffic(rule).datagrams_out, 1U);
  EXPECT_EQ(Rig::traffic(rule).limit.throttle_us_in, 0U);
}

TEST(UdpLimits, RL_8_a_dropped_first_datagram_leaves_its_flow_established) {
  UdpSocket target;
  Rig rig;
  auto spec = Rig::rule(target.port());
  spec.rate_limit = model::RateLimit{.bandwidth_in_bps = 100, .bandwidth_in_burst = 500};
  const auto rule = rig.serve(spec);
  UdpSocket first = client_of(rule);
  ASSERT_TRUE(first.send(std::string(450, 'a')));
  ASSERT_TRUE(target.receive());
  UdpSocket second = client_of(rule);
  ASSERT_TRUE(second.send(std::string(450, 'b')));
  ASSERT_TRUE(eventually([&] { return Rig::local(rule).bandwidth_dropped_in == 1; }));
  ASSERT_TRUE(eventually([&] { return Rig::traffic(rule).active_flows == 2; }));
  ASSERT_TRUE(second.send("b"));
  EXPECT_EQ(target.receive(), "b");
}

TEST(UdpLimits, RL_10_a_cap_set_later_binds_the_flows_that_exist) {
  UdpSocket target;
  Rig rig;
  const auto rule = rig.serve(Rig::rule(target.port()));
  UdpSocket client = client_of(rule);
  ASSERT_TRUE(client.send("x"));
  ASSERT_TRUE(target.receive());
  rule->live().limiter().apply(model::RateLimit{.bandwidth_in_bps = 100, .bandwidth_in_burst = 100},
                               std::chrono::steady_clock::now());
  ASSERT_TRUE(client.send(std::string(100, 'y')));
  ASSERT_TRUE(target.receive());
  ASSERT_TRUE(client.send(std::string(100, 'z')));
  EXPECT_TRUE(eventually([&] { return Rig::local(rule).bandwidth_dropped_in == 1; }));
}

TEST(UdpLimits, QUO_6_QUO_7_delivers_the_last_datagram_whole_and_then_nothing) {
  UdpSocket target;
  Rig rig;
  const auto owner = std::make_shared<OwnerScope>("bob");
  owner->quota.set(250, false);
  const auto rule = rig.serve(Rig::rule(target.port()), {}, owner);
  UdpSocket client = client_of(rule);
  ASSERT_TRUE(client.send(std::string(100, 'a')));
  const auto seen = target.receive_from();
  ASSERT_TRUE(seen);
  ASSERT_TRUE(target.send_to(std::string(100, 'b'), seen->from));
  ASSERT_TRUE(client.receive());
  ASSERT_TRUE(client.send(std::string(100, 'c')));
  ASSERT_TRUE(target.receive());
  EXPECT_TRUE(owner->quota.exhausted());
  ASSERT_TRUE(client.send("d"));
  ASSERT_TRUE(target.send_to("e", seen->from));
  EXPECT_TRUE(target.silent());
  EXPECT_TRUE(client.silent());
  EXPECT_TRUE(eventually(
      [&] { return Rig::traffic(rule).bytes_in + Rig::traffic(rule).bytes_out == 300; }));
  EXPECT_EQ(Rig::local(rule).send_dropped, 0U);
  EXPECT_EQ(Rig::local(rule).bandwidth_dropped_in, 0U);
}

TEST(UdpLimits, QUO_6_the_flows_of_an_owner_who_is_cut_off_end_and_those_of_others_do_not) {
  UdpServer target;
  Rig rig;
  const auto bob = std::make_shared<OwnerScope>("bob");
  const auto eve = std::make_shared<OwnerScope>("eve");
  auto his = Rig::rule(target.port());
  auto hers = Rig::rule(target.port());
  hers.id = RuleId{2};
  const auto bobs = rig.serve(his, {}, bob);
  const auto eves = rig.serve(hers, {}, eve);
  UdpSocket a = client_of(bobs);
  UdpSocket b = client_of(eves);
  for (UdpSocket* client : {&a, &b}) {
    ASSERT_TRUE(client->send("x"));
    ASSERT_TRUE(client->receive());
  }
  bob->quota.set(0, true);
  rig.cut(*bob);
  EXPECT_EQ(bobs->flows(), 0U);
  EXPECT_EQ(Rig::traffic(bobs).active_flows, 0U);
  EXPECT_EQ(Rig::traffic(eves).active_flows, 1U);
  ASSERT_TRUE(b.send("y"));
  EXPECT_EQ(b.receive(), "y");
}

TEST(UdpLimits, QUO_4_QUO_8_new_flows_are_dropped_while_exhausted_and_served_again_after_a_set) {
  const LogCapture log;
  UdpServer target;
  Rig rig;
  const auto owner = std::make_shared<OwnerScope>("bob");
  owner->quota.set(0, true);
  const auto rule = rig.serve(Rig::rule(target.port()), {}, owner);
  UdpSocket client = client_of(rule);
  ASSERT_TRUE(client.send("x"));
  EXPECT_TRUE(client.silent());
  EXPECT_EQ(rule->flows(), 0U);
  EXPECT_EQ(target.requests(), 0U);
  EXPECT_EQ(Rig::traffic(rule).flows_dropped_overflow, 0U);
  owner->quota.set(1000, false);
  ASSERT_TRUE(client.send("y"));
  EXPECT_EQ(client.receive(), "y");
  EXPECT_EQ(log.count("rule.udp_first_packet_rejected"), 0U);
}

}  // namespace
}  // namespace portunus::test
