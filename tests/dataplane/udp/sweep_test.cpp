#include <gtest/gtest.h>

#include <chrono>
#include <vector>

#include "tests/dataplane/support/datagram_sockets.hpp"
#include "tests/dataplane/udp/rig.hpp"
#include "tests/support/log_capture.hpp"

namespace portunus::test {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

UdpSocket client_of(const Rig::Rule& rule) {
  UdpSocket client;
  client.connect(rule->spec().listen_port);
  return client;
}

TEST(UdpSweep, UDP_13_ends_idle_flows_and_leaves_those_in_use) {
  const LogCapture log;
  UdpServer target;
  Rig rig;
  const auto rule = rig.serve(Rig::rule(target.port()), {.flow_idle = seconds(2)});
  UdpSocket busy = client_of(rule);
  UdpSocket idle = client_of(rule);
  const auto begin = Clock::now();
  ASSERT_TRUE(idle.send("once"));
  ASSERT_TRUE(idle.receive());
  const auto ended = [&] { return log.count("rule.udp_flow_closed_idle") > 0; };
  while (!ended() && Clock::now() - begin < kPatience) {
    ASSERT_TRUE(busy.send("x"));
    ASSERT_TRUE(busy.receive());
    idle.pending(milliseconds(20));
  }
  EXPECT_GE(Clock::now() - begin, seconds(2));
  EXPECT_EQ(
      log.count("rule.udp_flow_closed_idle",
                {"\"source\":\"127.0.0.1:" + std::to_string(idle.port()) + "\"", "\"bytes_in\":4",
                 "\"bytes_out\":4", "\"datagrams_in\":1", "\"datagrams_out\":1"}),
      1U);
  EXPECT_TRUE(eventually([&] { return rule->flows() == 1; }));
  EXPECT_EQ(Rig::traffic(rule).active_flows, 1U);
  // Now nobody sends, and the last one goes too.
  EXPECT_TRUE(eventually([&] { return rule->flows() == 0; }));
  EXPECT_EQ(log.count("rule.udp_flow_closed_idle"), 2U);
}

TEST(UdpSweep, UDP_13_replies_alone_keep_a_flow) {
  UdpSocket target;
  Rig rig;
  const auto rule = rig.serve(Rig::rule(target.port()), {.flow_idle = seconds(2)});
  UdpSocket client = client_of(rule);
  ASSERT_TRUE(client.send("subscribe"));
  const auto seen = target.receive_from();
  ASSERT_TRUE(seen);
  const auto begin = Clock::now();
  while (Clock::now() - begin < milliseconds(4000)) {
    ASSERT_TRUE(target.send_to("news", seen->from));
    ASSERT_EQ(client.receive(), "news");
    client.pending(milliseconds(50));
  }
  EXPECT_EQ(rule->flows(), 1U);
}

TEST(UdpSweep, UDP_13_more_flows_than_one_step_of_a_sweep_all_end) {
  UdpSocket target;
  Rig rig({.workers = 1});
  const auto rule =
      rig.serve(Rig::rule(target.port()), {.flow_idle = seconds(1), .max_flows = 2000});
  for (unsigned i = 0; i < 700; ++i) {
    UdpSocket client = client_of(rule);
    ASSERT_TRUE(client.send("x"));
    ASSERT_TRUE(target.receive());
  }
  EXPECT_TRUE(eventually([&] { return rule->flows() == 0; }));
  EXPECT_EQ(Rig::traffic(rule).active_flows, 0U);
  // Their places and their memory serve the next.
  UdpSocket client = client_of(rule);
  ASSERT_TRUE(client.send("x"));
  EXPECT_TRUE(target.receive());
}

TEST(UdpSweep, UDP_13_another_window_counts_for_the_flows_that_exist) {
  UdpServer target;
  Rig rig;
  const auto rule = rig.serve(Rig::rule(target.port()), {.flow_idle = seconds(8)});
  UdpSocket client = client_of(rule);
  ASSERT_TRUE(client.send("x"));
  ASSERT_TRUE(client.receive());
  rule->tune({.flow_idle = seconds(1)});
  const auto begin = Clock::now();
  EXPECT_TRUE(eventually([&] { return rule->flows() == 0; }));
  EXPECT_LT(Clock::now() - begin, milliseconds(6000));
}

}  // namespace
}  // namespace portunus::test
