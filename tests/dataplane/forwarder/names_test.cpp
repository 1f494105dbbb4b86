#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <string>
#include <vector>

#include "tests/dataplane/support/engine.hpp"
#include "tests/dataplane/support/sockets.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/support/scripted_dns.hpp"

namespace portunus::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Answers = std::vector<DnsAnswer>;

/// Every name has these addresses.
ScriptedDns::Script everywhere(std::vector<std::string> v4, std::vector<std::string> v6 = {},
                               std::uint32_t ttl = 60) {
  return [v4 = std::move(v4), v6 = std::move(v6), ttl](const DnsQuestion& question) -> Answers {
    DnsAnswer answer;
    for (const auto& address : question.type == kTypeA ? v4 : v6) {
      answer.records.push_back({question.name, question.type, ttl, address});
    }
    return {answer};
  };
}

Answers with_code(std::uint8_t rcode) {
  return {DnsAnswer{.rcode = rcode}};
}
constexpr std::uint8_t kServfail = 2;
constexpr std::uint8_t kNxdomain = 3;

/// An engine whose names are known to `script` alone.
class Names {
 public:
  explicit Names(ScriptedDns::Script script, unsigned workers = 2)
      : dns(std::move(script)), engine({.workers = workers, .dns_servers = dns.server()}) {}

  std::uint16_t serve(std::uint64_t id, std::uint16_t target_port,
                      const std::string& host = "target.example") {
    return engine.serve(Engine::rule(id, 0, target_port, host));
  }

  ScriptedDns dns;
  Engine engine;
};

void expect_echo(std::uint16_t port) {
  Socket client = Socket::connect_v4(port);
  client.send("hello");
  EXPECT_EQ(client.receive(5), "hello");
}

void expect_closed(std::uint16_t port) {
  Socket client = Socket::connect_v4(port);
  EXPECT_EQ(client.receive_all(), "");
  EXPECT_EQ(client.error(), 0);
}

TEST(ForwarderNames, DNS_2_a_name_is_resolved_with_the_first_connection) {
  const LogCapture log;
  Server server;
  Names names(everywhere({"127.0.0.1"}));
  const auto port = names.serve(7, server.port());
  EXPECT_TRUE(names.dns.questions().empty());
  expect_echo(port);
  EXPECT_EQ(names.dns.questions().size(), 2U);
  EXPECT_EQ(
      log.count("rule.dns_resolved",
                {"\"rule_id\":\"7\"", "\"rule\":\"7\"", "\"host\":\"target.example\"",
                 "\"chosen_addr\":\"127.0.0.1\"", "\"addr_count\":1", "\"prefer_ipv6\":false"}),
      1U);
}

TEST(ForwarderNames, DNS_3_one_lookup_serves_all_rules_and_all_workers) {
  const LogCapture log;
  Server server;
  Names names(everywhere({"127.0.0.1"}), 3);
  const auto first = names.serve(1, server.port());
  const auto second = names.serve(2, server.port());
  for (int i = 0; i < 24; ++i) {
    expect_echo(first);
    expect_echo(second);
  }
  EXPECT_EQ(names.dns.questions().size(), 2U);
  EXPECT_EQ(log.count("rule.dns_resolved"), 1U);
  EXPECT_EQ(names.engine.traffic(1).dns_failures, 0U);
}

TEST(ForwarderNames, DNS_5_the_other_family_is_the_fallback) {
  const LogCapture log;
  Acceptor v6_target(16, true);
  Names names(everywhere({"127.0.0.2", "127.0.0.3"}, {"::1"}));
  const auto port = names.serve(1, v6_target.port());
  Socket client = Socket::connect_v4(port);
  v6_target.accept().send("six");
  EXPECT_EQ(client.receive(3), "six");
  EXPECT_EQ(log.count("rule.dns_resolved", {"\"chosen_addr\":\"::1\"", "\"addr_count\":3"}), 1U);
  EXPECT_EQ(log.count("rule.dns_failed"), 0U);
  EXPECT_EQ(names.engine.traffic(1).dns_failures, 0U);
}

TEST(ForwarderNames, DNS_5_prefer_ipv6_turns_the_order) {
  Acceptor v6_target(16, true);
  Acceptor v4_target(16, false, v6_target.port());
  Names names(everywhere({"127.0.0.1"}, {"::1"}));
  auto spec = Engine::rule(1, 0, v6_target.port(), "target.example");
  spec.prefer_ipv6 = true;
  const auto six = names.engine.serve(spec);
  Socket client = Socket::connect_v4(six);
  EXPECT_TRUE(v6_target.pending(kPatience));
  EXPECT_FALSE(v4_target.pending());
  const auto four = names.serve(2, v6_target.port());
  Socket other = Socket::connect_v4(four);
  EXPECT_TRUE(v4_target.pending(kPatience));
}

TEST(ForwarderNames, DNS_5_all_addresses_unreachable_is_a_dns_failure) {
  const LogCapture log;
  Names names(everywhere({"127.0.0.1", "127.0.0.2"}, {"::1"}));
  const auto port = names.serve(1, refused_port());
  expect_closed(port);
  EXPECT_EQ(log.count("rule.dns_failed", {"\"reason\":\"all_addrs_unreachable\"", "\"tried\":3",
                                          "\"detail\":\"Connection refused\""}),
            1U);
  EXPECT_EQ(log.count("rule.conn_error"), 0U);
  EXPECT_EQ(names.engine.traffic(1).dns_failures, 1U);
  EXPECT_TRUE(names.engine.live(1));
}

TEST(ForwarderNames, DNS_9_a_failure_costs_the_connection_one_line_and_one_count) {
  const LogCapture log;
  Names names([](const DnsQuestion&) { return with_code(kNxdomain); });
  const auto port = names.serve(3, 80, "nobody.example");
  expect_closed(port);
  // Its failure is kept for a while, and costs the next connection just as much.
  expect_closed(port);
  EXPECT_EQ(log.count("rule.dns_failed", {"\"rule\":\"3\"", "\"host\":\"nobody.example\"",
                                          "\"reason\":\"nxdomain\"", "\"tried\":0"}),
            2U);
  EXPECT_EQ(log.count("rule.conn_error"), 0U);
  EXPECT_EQ(names.engine.traffic(3).dns_failures, 2U);
  EXPECT_EQ(names.engine.traffic(3).active_connections, 0U);
  EXPECT_TRUE(names.engine.live(3));
}

TEST(ForwarderNames, DNS_10_a_connection_served_from_a_stale_entry_counts_without_a_line) {
  const LogCapture log;
  std::atomic<bool> broken = false;
  Server server;
  auto good = everywhere({"127.0.0.1"}, {}, 1);
  Names names([&](const DnsQuestion& q) { return broken ? with_code(kServfail) : good(q); }, 1);
  const auto port = names.serve(1, server.port());
  expect_echo(port);
  broken = true;
  // Fresh for five seconds, the floor.
  EXPECT_EQ(names.engine.traffic(1).dns_failures, 0U);
  EXPECT_TRUE(eventually([&] {
    expect_echo(port);
    return names.engine.traffic(1).dns_failures > 0;
  }));
  EXPECT_EQ(names.engine.traffic(1).dns_failures, 1U);
  expect_echo(port);
  EXPECT_EQ(names.engine.traffic(1).dns_failures, 2U);
  EXPECT_EQ(log.count("rule.dns_failed"), 0U);
  EXPECT_EQ(log.count("rule.dns_resolved"), 1U);
}

TEST(ForwarderNames, TCP_5_an_address_never_enters_the_resolver) {
  const LogCapture log;
  Server server;
  Names names(everywhere({"127.0.0.1"}));
  expect_echo(names.serve(1, server.port(), "127.0.0.1"));
  expect_closed(names.serve(2, refused_port(), "127.0.0.1"));
  EXPECT_TRUE(names.dns.questions().empty());
  EXPECT_EQ(names.engine.traffic(2).dns_failures, 0U);
  EXPECT_EQ(log.count("rule.dns_failed"), 0U);
  EXPECT_EQ(log.count("rule.conn_error", {"connect: Connection refused"}), 1U);
}

/// Names whose answer waits until it is let go.
class SlowNames : public testing::Test {
 protected:
  void TearDown() override { answer(); }
  void answer() {
    if (!answered_.exchange(true)) go_.count_down();
  }

  const LogCapture log_;
  Server server_;
  std::latch go_{1};
  std::atomic<bool> answered_ = false;
  ScriptedDns::Script good_ = everywhere({"127.0.0.1"});
  Names names_{[this](const DnsQuestion& question) {
                 go_.wait();
                 return good_(question);
               },
               1};
};

TEST_F(SlowNames, DRN_2_the_drain_deadline_ends_those_who_wait_for_a_name) {
  const auto port = names_.serve(1, server_.port());
  Socket client = Socket::connect_v4(port);
  client.send("x");
  ASSERT_TRUE(eventually([&] { return !names_.dns.questions().empty(); }));
  names_.engine.remove(1, milliseconds(50)).get();
  EXPECT_EQ(client.receive_all(), "");
  EXPECT_EQ(client.error(), ECONNRESET);
  EXPECT_EQ(log_.count("rule.conn_error", {"\"error\":\"proxy_cancelled\""}), 1U);
  // The answer meets nobody, or another connection in the same place.
  const auto other = names_.serve(2, server_.port(), "127.0.0.1");
  Socket held = Socket::connect_v4(other);
  held.send("held");
  EXPECT_EQ(held.receive(4), "held");
  answer();
  expect_echo(names_.serve(3, server_.port()));
  held.send("more");
  EXPECT_EQ(held.receive(4), "more");
}

TEST_F(SlowNames, DNS_7_a_client_that_resets_meanwhile_leaves_nothing_behind) {
  const auto port = names_.serve(1, server_.port());
  for (int i = 0; i < 5; ++i) Socket::connect_v4(port).reset();
  EXPECT_TRUE(eventually([&] { return log_.count("rule.conn_error") == 5; }));
  answer();
  expect_echo(port);
  EXPECT_TRUE(eventually([&] { return names_.engine.traffic(1).active_connections == 0; }));
}

TEST_F(SlowNames, DNS_7_the_engine_stops_while_a_name_is_awaited) {
  const auto port = names_.serve(1, server_.port());
  Socket client = Socket::connect_v4(port);
  ASSERT_TRUE(eventually([&] { return !names_.dns.questions().empty(); }));
  names_.engine.destroy();
  EXPECT_EQ(client.receive_all(), "");
}

TEST_F(SlowNames, what_a_client_sends_while_its_target_is_resolved_is_delivered) {
  const auto port = names_.serve(1, server_.port());
  Socket client = Socket::connect_v4(port);
  client.send("early");
  client.half_close();
  ASSERT_TRUE(eventually([&] { return !names_.dns.questions().empty(); }));
  answer();
  EXPECT_EQ(client.receive_all(), "early");
}

}  // namespace
}  // namespace portunus::test
