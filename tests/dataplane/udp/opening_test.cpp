#include "dataplane/udp/opening.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/dataplane/support/datagram_sockets.hpp"
#include "tests/dataplane/udp/rig.hpp"
#include "tests/support/log_capture.hpp"

namespace portunus::test {
namespace {

using dataplane::dns::Answer;
using std::chrono::milliseconds;

constexpr const char* kName = "target.test";

UdpSocket client_of(const Rig::Rule& rule, const std::string& address = "127.0.0.1") {
  UdpSocket client(address);
  client.connect(rule->spec().listen_port);
  return client;
}

/// An address of its own for each source of a crowd.
std::string address_of(unsigned n) {
  return "127." + std::to_string(1 + n / 62'500) + "." + std::to_string(1 + n / 250 % 250) + "." +
         std::to_string(1 + n % 250);
}

TEST(UdpOpening, UDP_4_a_flood_of_sources_at_the_cap_costs_no_memory_and_no_flow_its_place) {
  const LogCapture log;
  UdpServer target;
  Rig rig({.workers = 2});
  const auto rule = rig.serve(Rig::rule(target.port()), {.max_flows = 10});
  std::vector<UdpSocket> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(client_of(rule));
    ASSERT_TRUE(clients.back().send("x"));
    ASSERT_TRUE(clients.back().receive());
  }
  const auto memory = [&] {
    std::size_t sum = 0;
    for (unsigned w = 0; w < 2; ++w) {
      sum += rig.on_worker(w, [&, w] {
        return rig.worker(w).flows.blocks() * 1000 + rig.worker(w).table.capacity();
      });
    }
    return sum;
  };
  const std::size_t before = memory();
  constexpr unsigned kFlood = 3000;
  for (unsigned i = 0; i < kFlood; ++i) {
    UdpSocket stranger = client_of(rule, address_of(i));
    ASSERT_TRUE(stranger.send(std::string(1000, 'f')));
  }
  EXPECT_TRUE(eventually([&] { return Rig::traffic(rule).flows_dropped_overflow == kFlood; }));
  EXPECT_EQ(memory(), before);
  EXPECT_EQ(Rig::traffic(rule).active_flows, 10U);
  for (UdpSocket& client : clients) {
    ASSERT_TRUE(client.send("still"));
    EXPECT_EQ(client.receive(), "still");
  }
  const auto lines = log.count("rule.udp_flow_dropped_overflow");
  EXPECT_GE(lines, 1U);
  EXPECT_LT(lines, kFlood / 10);
}

TEST(UdpOpening, UDP_4_the_cap_holds_while_all_workers_build_at_once) {
  constexpr std::uint32_t kCap = 50;
  UdpSocket target;
  Rig rig({.workers = 4});
  const auto rule = rig.serve(Rig::rule(target.port()), {.max_flows = kCap});
  std::atomic<bool> over = false;
  {
    std::vector<std::jthread> crowd;
    for (unsigned t = 0; t < 4; ++t) {
      crowd.emplace_back([&, t] {
        for (unsigned i = 0; i < 300; ++i) {
          UdpSocket source = client_of(rule, address_of(t * 1000 + i));
          source.send("x");
          if (rule->flows() > kCap) over = true;
        }
      });
    }
  }
  EXPECT_TRUE(eventually([&] {
    const auto traffic = Rig::traffic(rule);
    return traffic.flows_dropped_overflow + traffic.datagrams_in == 1200;
  }));
  EXPECT_FALSE(over);
  EXPECT_EQ(rule->flows(), kCap);
  EXPECT_EQ(Rig::traffic(rule).active_flows, kCap);
  std::set<std::uint16_t> upstreams;
  while (const auto seen = target.receive_from(milliseconds(50))) upstreams.insert(seen->from_port);
  EXPECT_EQ(upstreams.size(), kCap);
}

TEST(UdpOpening, UDP_4_flows_under_construction_count) {
  Rig rig;
  const auto rule = rig.serve(Rig::rule(9, kName), {.max_flows = 2});
  std::vector<UdpSocket> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(client_of(rule));
    ASSERT_TRUE(clients.back().send("x"));
    ASSERT_TRUE(eventually([&] {
      return rule->flows() + Rig::traffic(rule).flows_dropped_overflow ==
             static_cast<unsigned>(i) + 1;
    }));
  }
  EXPECT_EQ(rule->flows(), 2U);
  EXPECT_EQ(Rig::traffic(rule).flows_dropped_overflow, 1U);
  EXPECT_EQ(Rig::traffic(rule).active_flows, 0U);
}

TEST(UdpOpening, what_follows_while_a_flow_is_built_is_dropped_and_counted) {
  const LogCapture log;
  UdpSocket target;
  Rig rig;
  const auto rule = rig.serve(Rig::rule(target.port(), kName));
  UdpSocket client = client_of(rule);
  ASSERT_TRUE(client.send("first"));
  ASSERT_TRUE(eventually([&] { return rig.lookups() == 1; }));
  ASSERT_TRUE(client.send("second"));
  ASSERT_TRUE(client.send("third"));
  ASSERT_TRUE(eventually([&] { return Rig::local(rule).flows_pending_drops == 2; }));
  rig.answer(kName, {"127.0.0.1"});
  EXPECT_EQ(target.receive(), "first");
  ASSERT_TRUE(client.send("fourth"));
  EXPECT_EQ(target.receive(), "fourth");
  EXPECT_EQ(log.count("rule.udp_flow_pending_drop"), 2U);
  EXPECT_TRUE(eventually([&] { return Rig::traffic(rule).datagrams_in == 2; }));
}

TEST(UdpOpening, UDP_7_a_name_that_does_not_resolve_delays_no_live_flow) {
  UdpServer target;
  Rig rig({.workers = 1});
  const auto rule = rig.serve(Rig::rule(target.port(), kName));
  const auto other = rig.serve(Rig::rule(target.port()));
  rig.answer(kName, {"127.0.0.1"}, std::chrono::seconds(0));
  UdpSocket live = client_of(rule);
  ASSERT_TRUE(live.send("x"));
  ASSERT_TRUE(live.receive());
  rig.forget(kName);
  std::vector<UdpSocket> waiting;
  for (int i = 0; i < 50; ++i) {
    waiting.push_back(client_of(rule));
    ASSERT_TRUE(waiting.back().send("waits"));
  }
  ASSERT_TRUE(eventually([&] { return rig.lookups() == 51; }));
  // Flows of the same rule and of another go on, and another can begin.
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(live.send("live"));
    EXPECT_EQ(live.receive(), "live");
  }
  UdpSocket fresh = client_of(other);
  ASSERT_TRUE(fresh.send("fresh"));
  EXPECT_EQ(fresh.receive(), "fresh");
  rig.answer(kName, {"127.0.0.1"});
  for (UdpSocket& client : waiting) EXPECT_EQ(client.receive(), "waits");
}

TEST(UdpOpening, UDP_6_every_way_out_gives_the_place_back) {
  const LogCapture log;
  Rig rig;
  // Refused by a limit.
  UdpSocket target;
  auto limited = Rig::rule(target.port());
  limited.rate_limit = model::RateLimit{.concurrent_connections = 1};
  const auto refused = rig.serve(limited);
  UdpSocket first = client_of(refused);
  UdpSocket second = client_of(refused);
  ASSERT_TRUE(first.send("x"));
  ASSERT_TRUE(eventually([&] { return Rig::traffic(refused).datagrams_in == 1; }));
  ASSERT_TRUE(second.send("x"));
  ASSERT_TRUE(eventually([&] { return log.count("rule.udp_first_packet_rejected") == 1; }));
  EXPECT_TRUE(eventually([&] { return refused->flows() == 1; }));

  // No such name.
  rig.answer("missing.test", {});
  const auto nameless = rig.serve(Rig::rule(9, "missing.test"));
  UdpSocket third = client_of(nameless);
  ASSERT_TRUE(third.send("x"));
  ASSERT_TRUE(eventually([&] { return Rig::traffic(nameless).dns_failures == 1; }));
  EXPECT_TRUE(eventually([&] { return nameless->flows() == 0; }));

  // An address that cannot be connected to.
  const auto unreachable = rig.serve(Rig::rule(9, "255.255.255.255"));
  UdpSocket fourth = client_of(unreachable);
  ASSERT_TRUE(fourth.send("x"));
  ASSERT_TRUE(eventually([&] { return Rig::local(unreachable).upstream_connect_failed == 1; }));
  EXPECT_TRUE(eventually([&] { return unreachable->flows() == 0; }));
  EXPECT_EQ(Rig::traffic(unreachable).dns_failures, 0U);
  EXPECT_EQ(log.count("rule.udp_upstream_connect_failed", {"255.255.255.255:9"}), 1U);

  // Removed while the name is looked up; the answer comes afterwards.
  const auto removed = rig.serve(Rig::rule(9, kName));
  UdpSocket fifth = client_of(removed);
  ASSERT_TRUE(fifth.send("x"));
  ASSERT_TRUE(eventually([&] { return removed->flows() == 1 && rig.lookups() == 2; }));
  rig.remove(removed);
  EXPECT_EQ(removed->flows(), 0U);
  rig.answer(kName, {"127.0.0.1"});
  EXPECT_EQ(Rig::traffic(removed).active_flows, 0U);
}

TEST(UdpOpening, the_queue_of_new_flows_has_an_end) {
  const LogCapture log;
  Rig rig({.workers = 1});
  const auto rule = rig.serve(Rig::rule(9, kName), {.max_flows = 5000});
  constexpr unsigned kQueue = dataplane::udp::FlowOpener::kMostBuilding;
  for (unsigned i = 0; i < kQueue + 40; ++i) {
    UdpSocket source = client_of(rule, address_of(i));
    ASSERT_TRUE(source.send("x"));
    // No faster than the worker reads, for what the socket drops was never seen.
    ASSERT_TRUE(
        eventually([&] { return rule->flows() + Rig::local(rule).addflow_dropped == i + 1; }));
  }
  EXPECT_EQ(rule->flows(), kQueue);
  EXPECT_EQ(Rig::local(rule).addflow_dropped, 40U);
  EXPECT_GE(log.count("rule.udp_addflow_dropped", {"\"reason\":\"queue_full\""}), 1U);
  rig.answer(kName, {});
  EXPECT_TRUE(eventually([&] { return rule->flows() == 0; }));
  EXPECT_EQ(Rig::traffic(rule).dns_failures, kQueue);
}

TEST(UdpOpening, DNS_9_a_failure_costs_the_datagram_one_line_and_one_count) {
  const LogCapture log;
  Rig rig;
  const auto rule = rig.serve(Rig::rule(9, kName));
  rig.answer(kName, {});
  UdpSocket client = client_of(rule);
  ASSERT_TRUE(client.send("x"));
  ASSERT_TRUE(eventually([&] { return Rig::traffic(rule).dns_failures == 1; }));
  EXPECT_EQ(log.count("rule.udp_dns_failed",
                      {"\"host\":\"target.test\"", "\"reason\":\"nxdomain\"", "\"rule\":\"1\"",
                       "\"source\":\"127.0.0.1:" + std::to_string(client.port()) + "\""}),
            1U);
  EXPECT_EQ(log.count("rule.udp_all_targets_failed"), 0U);
}

TEST(UdpOpening, DNS_5_tries_each_address_in_order_and_fails_when_none_can_be_reached) {
  const LogCapture log;
  UdpServer target;
  Rig rig;
  rig.answer(kName, {"255.255.255.255", "127.0.0.1"});
  const auto rule = rig.serve(Rig::rule(target.port(), kName));
  UdpSocket client = client_of(rule);
  ASSERT_TRUE(client.send("x"));
  EXPECT_EQ(client.receive(), "x");
  EXPECT_EQ(log.count("rule.udp_upstream_connect_failed"), 1U);
  EXPECT_EQ(log.count("rule.dns_resolved", {"\"chosen_addr\":\"127.0.0.1\"", "\"addr_count\":2"}),
            1U);
  EXPECT_EQ(Rig::traffic(rule).dns_failures, 0U);

  rig.answer("none.test", {"255.255.255.255"});
  const auto none = rig.serve(Rig::rule(target.port(), "none.test"));
  UdpSocket other = client_of(none);
  ASSERT_TRUE(other.send("x"));
  ASSERT_TRUE(eventually([&] { return Rig::traffic(none).dns_failures == 1; }));
  EXPECT_EQ(log.count("rule.udp_dns_failed", {"\"reason\":\"all_addrs_unreachable\""}), 1U);
}

TEST(UdpOpening, DNS_10_a_flow_served_from_a_stale_answer_counts_without_a_line) {
  const LogCapture log;
  UdpServer target;
  Rig rig;
  rig.answer(kName, {"127.0.0.1"}, std::chrono::seconds(0), Answer::Source::stale);
  const auto rule = rig.serve(Rig::rule(target.port(), kName));
  UdpSocket client = client_of(rule);
  ASSERT_TRUE(client.send("x"));
  EXPECT_EQ(client.receive(), "x");
  EXPECT_EQ(Rig::traffic(rule).dns_failures, 1U);
  EXPECT_EQ(log.count("rule.udp_dns_failed"), 0U);
  EXPECT_EQ(log.count("rule.dns_resolved"), 0U);
}

TEST(UdpOpening, DNS_4_a_fresh_answer_is_used_without_another_lookup) {
  UdpServer target;
  Rig rig({.workers = 1});
  rig.answer(kName, {"127.0.0.1"});
  const auto rule = rig.serve(Rig::rule(target.port(), kName));
  for (int i = 0; i < 5; ++i) {
    UdpSocket client = client_of(rule);
    ASSERT_TRUE(client.send("x"));
    EXPECT_EQ(client.receive(), "x");
  }
  EXPECT_EQ(rig.lookups(), 1U);
}

TEST(UdpOpening, FO_8_a_new_flow_takes_the_first_target_that_can_be_connected) {
  const LogCapture log;
  UdpServer second;
  Rig rig({.workers = 1});
  rig.answer("missing.test", {});
  auto spec = Rig::rule(9, "missing.test");
  spec.targets.push_back({.host = "127.0.0.1", .port = second.port(), .priority = 1});
  const auto rule = rig.serve(spec);
  for (int i = 0; i < 4; ++i) {
    UdpSocket client = client_of(rule);
    ASSERT_TRUE(client.send("x"));
    EXPECT_EQ(client.receive(), "x");
  }
  const auto traffic = Rig::traffic(rule);
  // Three failures within the window; after that the healthy one is first.
  EXPECT_EQ(traffic.target_failovers, 1U);
  ASSERT_EQ(traffic.targets.size(), 2U);
  EXPECT_EQ(traffic.targets[0].health, 1U);
  EXPECT_EQ(traffic.targets[0].connections, 0U);
  EXPECT_EQ(traffic.targets[1].connections, 4U);
  EXPECT_EQ(traffic.targets[1].bytes_in, 4U);
  // At most one of each flow, over all its candidates.
  EXPECT_EQ(traffic.dns_failures, 3U);
  EXPECT_EQ(
      log.count("rule.udp_target.dial_failed", {"\"target_index\":0", "\"reason\":\"nxdomain\""}),
      3U);
  EXPECT_EQ(log.count("rule.udp_all_targets_failed"), 0U);
}

TEST(UdpOpening, FO_5_a_lookup_that_this_host_could_not_make_is_no_failure_of_the_target) {
  const LogCapture log;
  UdpServer second;
  Rig rig({.workers = 1});
  rig.refuse(kName, {dataplane::dns::Failure::other, "Too many open files", true});
  auto spec = Rig::rule(9, kName);
  spec.targets.push_back({.host = "127.0.0.1", .port = second.port(), .priority = 1});
  const auto rule = rig.serve(spec);
  for (int i = 0; i < 4; ++i) {
    UdpSocket client = client_of(rule);
    ASSERT_TRUE(client.send("x"));
    EXPECT_EQ(client.receive(), "x");
  }
  const auto traffic = Rig::traffic(rule);
  EXPECT_EQ(traffic.target_failovers, 0U);
  EXPECT_EQ(traffic.targets.at(0).consecutive_failures, 0U);
  EXPECT_EQ(traffic.dns_failures, 4U);
  EXPECT_EQ(log.count("rule.udp_target.dial_failed", {"\"target_index\":0"}), 4U);
}

TEST(UdpOpening, FO_8_evictions_do_not_feed_health_and_all_failed_is_said) {
  const LogCapture log;
  UdpSocket gone;
  const std::uint16_t closed = gone.port();
  gone.close();
  Rig rig({.workers = 1});
  auto spec = Rig::rule(closed);
  spec.targets.push_back({.host = "127.0.0.1", .port = 9, .priority = 1});
  const auto rule = rig.serve(spec);
  for (std::uint64_t i = 1; i <= 4; ++i) {
    UdpSocket client = client_of(rule);
    ASSERT_TRUE(client.send("x"));
    ASSERT_TRUE(eventually([&] { return Rig::local(rule).icmp_evict == i; }));
  }
  EXPECT_EQ(Rig::traffic(rule).targets[0].health, 0U);
  EXPECT_EQ(Rig::traffic(rule).targets[0].connections, 4U);

  auto hopeless = Rig::rule(9, "255.255.255.255");
  hopeless.targets.push_back({.host = "255.255.255.255", .port = 10, .priority = 1});
  const auto lost = rig.serve(hopeless);
  UdpSocket client = client_of(lost);
  ASSERT_TRUE(client.send("x"));
  ASSERT_TRUE(eventually([&] { return log.count("rule.udp_all_targets_failed") == 1; }));
  EXPECT_EQ(log.count("rule.udp_target.dial_failed"), 2U);
  EXPECT_EQ(Rig::traffic(lost).dns_failures, 0U);
}

}  // namespace
}  // namespace portunus::test
