#include <gtest/gtest.h>
#include <sys/socket.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "common/net/endpoint.hpp"
#include "tests/dataplane/support/engine.hpp"
#include "tests/dataplane/support/few_descriptors.hpp"
#include "tests/dataplane/support/sockets.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/support/scripted_dns.hpp"

namespace portunus::test {
namespace {

using std::chrono::milliseconds;

/// Greets with its name and echoes.
class Target {
 public:
  explicit Target(std::string name)
      : server_([name = std::move(name)](Socket socket) {
          socket.send(name);
          Server::echo(std::move(socket));
        }) {}
  std::uint16_t port() const { return server_.port(); }

 private:
  Server server_;
};

std::string greeting(std::uint16_t port) {
  return Socket::connect_v4(port).receive(1);
}

const model::TargetTraffic& row(const model::RuleTraffic& traffic, std::size_t index) {
  return traffic.targets.at(index);
}

TEST(ForwarderFailover, FO_1_priority_counts_before_the_place_in_the_list) {
  const LogCapture log;
  Target a("a");
  Target b("b");
  Target c("c");
  auto spec = Engine::list(1, {a.port(), b.port(), c.port()});
  spec.targets[0].priority = 20;
  spec.targets[1].priority = 10;
  spec.targets[2].priority = 10;
  Engine engine;
  const auto port = engine.serve(spec);
  EXPECT_EQ(greeting(port), "b");
  const auto traffic = engine.traffic(1);
  ASSERT_EQ(traffic.targets.size(), 3U);
  EXPECT_EQ(row(traffic, 1).index, 1U);
  EXPECT_EQ(row(traffic, 1).connections, 1U);
  EXPECT_EQ(row(traffic, 0).connections, 0U);
  EXPECT_EQ(row(traffic, 1).port, b.port());
  EXPECT_EQ(log.count("rule.activated", {"\"multi_target\":true", "\"target_count\":3"}), 1U);
}

TEST(ForwarderFailover, FO_4_what_refuses_is_passed_over_until_it_has_failed) {
  const LogCapture log;
  Target b("b");
  Engine engine({.workers = 1});
  const auto port = engine.serve(Engine::list(1, {refused_port(), b.port()}));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(greeting(port), "b");
  EXPECT_EQ(log.count("rule.target.dial_failed",
                      {"\"target_index\":0", "\"error\":\"Connection refused\""}),
            3U);
  EXPECT_EQ(
      log.count("rule.target.health_changed", {"\"target_index\":0", "\"from\":\"Healthy\"",
                                               "\"to\":\"Failed\"", "\"consecutive_failures\":3"}),
      1U);
  // From now on it is not even tried.
  EXPECT_EQ(greeting(port), "b");
  EXPECT_EQ(log.count("rule.target.dial_failed"), 3U);
  EXPECT_EQ(log.count("rule.conn_error"), 0U);
  const auto traffic = engine.traffic(1);
  EXPECT_EQ(traffic.target_failovers, 1U);
  EXPECT_EQ(row(traffic, 0).health, 1U);
  EXPECT_EQ(row(traffic, 0).connections, 0U);
  EXPECT_GT(row(traffic, 0).last_failure_unix_ms, 0U);
  EXPECT_EQ(row(traffic, 1).health, 0U);
  EXPECT_EQ(row(traffic, 1).connections, 4U);
  EXPECT_GT(row(traffic, 1).last_success_unix_ms, 0U);
  EXPECT_EQ(traffic.dns_failures, 0U);
}

TEST(ForwarderFailover, FO_4_with_none_healthy_the_preferred_one_comes_first) {
  const LogCapture log;
  const auto first = refused_port();
  const auto second = refused_port();
  Engine engine({.workers = 1});
  const auto port = engine.serve(Engine::list(1, {first, second}));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(greeting(port), "");
  EXPECT_EQ(engine.traffic(1).target_failovers, 2U);
  Acceptor back(16, false, first);
  Socket client = Socket::connect_v4(port);
  Socket up = back.accept();
  up.send("x");
  EXPECT_EQ(client.receive(1), "x");
  EXPECT_EQ(log.count("rule.target.dial_failed", {"\"target_index\":1"}), 3U);
}

TEST(ForwarderFailover, FO_6_with_all_targets_failed_the_connection_is_closed) {
  const LogCapture log;
  Engine engine;
  const auto port = engine.serve(Engine::list(5, {refused_port(), refused_port()}));
  Socket client = Socket::connect_v4(port);
  EXPECT_EQ(client.receive_all(), "");
  EXPECT_EQ(client.error(), 0);
  EXPECT_EQ(log.count("rule.conn_error_all_targets_failed",
                      {"\"rule_id\":\"5\"", "\"target_count\":2",
                       "\"peer\":\"127.0.0.1:", "\"listen_port\":" + std::to_string(port)}),
            1U);
  EXPECT_EQ(log.count("rule.conn_error"), 0U);
  EXPECT_EQ(log.count("rule.target.dial_failed"), 2U);
  EXPECT_TRUE(engine.live(5));
  EXPECT_EQ(engine.traffic(5).active_connections, 0U);
}

/// Connections, one after the other, for each of which the process has the descriptor that accept()
/// takes, and no other. All are closed without a byte.
void connect_out_of_descriptors(std::uint16_t port, int times) {
  for (int i = 0; i < times; ++i) {
    Socket client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const FewDescriptors one(1);
    sockaddr_storage where;
    const socklen_t size =
        net::Endpoint(*net::IpAddress::parse("127.0.0.1"), port).to_sockaddr(where);
    ASSERT_EQ(::connect(client.fd(), reinterpret_cast<const sockaddr*>(&where), size), 0);
    EXPECT_EQ(client.receive_all(), "");
  }
}

void expect_untouched(const model::RuleTraffic& traffic) {
  EXPECT_EQ(traffic.target_failovers, 0U);
  for (const model::TargetTraffic& target : traffic.targets) {
    EXPECT_EQ(target.consecutive_failures, 0U) << target.index;
    EXPECT_EQ(target.last_failure_unix_ms, 0U) << target.index;
  }
}

TEST(ForwarderFailover, FO_5_a_host_out_of_descriptors_is_no_failure_of_a_target) {
  const LogCapture log;
  Target a("a");
  Target b("b");
  Engine engine({.workers = 1});
  const auto port = engine.serve(Engine::list(1, {a.port(), b.port()}));
  connect_out_of_descriptors(port, 3);
  EXPECT_EQ(log.count("rule.target.dial_failed", {"Too many open files"}), 6U);
  expect_untouched(engine.traffic(1));
  EXPECT_EQ(greeting(port), "a");
}

TEST(ForwarderFailover, FO_5_a_host_out_of_descriptors_is_no_failure_of_a_name_either) {
  const LogCapture log;
  ScriptedDns dns([](const DnsQuestion& question) -> std::vector<DnsAnswer> {
    if (question.type != kTypeA) return {DnsAnswer{}};
    return {DnsAnswer{.records = {{question.name, kTypeA, 60, "127.0.0.1"}}}};
  });
  Target a("a");
  Target b("b");
  Engine engine({.workers = 1, .dns_servers = dns.server()});
  auto spec = Engine::list(1, {a.port(), b.port()});
  spec.targets[0].host = "one.example";
  spec.targets[1].host = "two.example";
  const auto port = engine.serve(spec);
  connect_out_of_descriptors(port, 3);
  EXPECT_EQ(log.count("rule.dns_failed", {"\"reason\":\"other\"", "Too many open files"}), 6U);
  EXPECT_EQ(log.count("rule.target.dial_failed", {"Too many open files"}), 6U);
  EXPECT_EQ(engine.traffic(1).dns_failures, 3U);
  expect_untouched(engine.traffic(1));
  // Nor does the cache hold it against the name.
  EXPECT_EQ(greeting(port), "a");
}

TEST(ForwarderFailover, FO_4_a_silent_target_costs_three_seconds_and_not_the_connection) {
  const LogCapture log;
  SilentTarget silent;
  Target b("b");
  Engine engine;
  const auto port = engine.serve(Engine::list(1, {silent.port(), b.port()}));
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(greeting(port), "b");
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::seconds(3));
  EXPECT_EQ(log.count("rule.target.dial_failed", {"\"error\":\"Connection timed out\""}), 1U);
}

TEST(ForwarderFailover, FO_5_names_that_fail_are_lines_each_and_one_count) {
  const LogCapture log;
  ScriptedDns dns([](const DnsQuestion& question) -> std::vector<DnsAnswer> {
    if (question.name != "good.example") return {DnsAnswer{.rcode = 3}};
    if (question.type != kTypeA) return {DnsAnswer{}};
    return {DnsAnswer{.records = {{question.name, kTypeA, 60, "127.0.0.1"}}}};
  });
  Target c("c");
  Engine engine({.workers = 1, .dns_servers = dns.server()});
  auto spec = Engine::list(1, {80, 81, c.port()});
  spec.targets[0].host = "one.example";
  spec.targets[1].host = "two.example";
  spec.targets[2].host = "good.example";
  const auto port = engine.serve(spec);
  EXPECT_EQ(greeting(port), "c");
  EXPECT_EQ(log.count("rule.dns_failed", {"\"reason\":\"nxdomain\""}), 2U);
  EXPECT_EQ(log.count("rule.dns_failed", {"\"host\":\"two.example\""}), 1U);
  EXPECT_EQ(log.count("rule.target.dial_failed"), 2U);
  EXPECT_EQ(log.count("rule.dns_resolved", {"\"host\":\"good.example\""}), 1U);
  EXPECT_EQ(engine.traffic(1).dns_failures, 1U);
}

TEST(ForwarderFailover, FO_7_a_connection_stays_where_it_is) {
  const auto first = refused_port();
  Target b("b");
  Engine engine({.workers = 1});
  const auto port = engine.serve(Engine::list(1, {first, b.port()}));
  Socket early = Socket::connect_v4(port);
  EXPECT_EQ(early.receive(1), "b");
  // The preferred one comes back, still healthy after one failure.
  Acceptor back(16, false, first);
  Socket late = Socket::connect_v4(port);
  Socket up = back.accept();
  up.send("a");
  EXPECT_EQ(late.receive(1), "a");
  early.send("same");
  EXPECT_EQ(early.receive(4), "same");
}

TEST(ForwarderFailover, CNT_5_targets_count_apart_and_sum_up_to_the_rule) {
  const auto first = refused_port();
  Target b("b");
  Engine engine({.workers = 1});
  const auto port = engine.serve(Engine::list(1, {first, b.port()}));
  Socket via_b = Socket::connect_v4(port);
  via_b.send("12345");
  EXPECT_EQ(via_b.receive(6), "b12345");
  Acceptor back(16, false, first);
  Socket via_a = Socket::connect_v4(port);
  Socket up = back.accept();
  via_a.send("123");
  EXPECT_EQ(up.receive(3), "123");
  EXPECT_TRUE(eventually([&] {
    const auto now = engine.traffic(1);
    return now.bytes_in == 8 && now.bytes_out == 6;
  }));
  const auto traffic = engine.traffic(1);
  EXPECT_EQ(row(traffic, 0).bytes_in, 3U);
  EXPECT_EQ(row(traffic, 0).bytes_out, 0U);
  EXPECT_EQ(row(traffic, 0).connections, 1U);
  EXPECT_EQ(row(traffic, 1).bytes_in, 5U);
  EXPECT_EQ(row(traffic, 1).bytes_out, 6U);
  EXPECT_EQ(row(traffic, 1).connections, 1U);
}

TEST(ForwarderFailover, FO_2_a_list_of_one_has_no_health) {
  const LogCapture log;
  Engine engine({.workers = 1});
  const auto port = engine.serve(Engine::list(1, {refused_port()}));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(greeting(port), "");
  EXPECT_EQ(log.count("rule.conn_error", {"connect: Connection refused"}), 5U);
  EXPECT_EQ(log.count("rule.conn_error", {"multi_target"}), 0U);
  EXPECT_EQ(log.count("rule.target.health_changed"), 0U);
  EXPECT_TRUE(engine.traffic(1).targets.empty());
  EXPECT_EQ(engine.traffic(1).target_failovers, 0U);
}

TEST(ForwarderFailover, FO_2_health_is_lost_with_the_rule) {
  Target b("b");
  Engine engine({.workers = 1});
  auto spec = Engine::list(1, {refused_port(), b.port()});
  spec.listen_port = engine.serve(spec);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(greeting(spec.listen_port), "b");
  EXPECT_EQ(row(engine.traffic(1), 0).health, 1U);
  engine.remove(1, milliseconds(5000)).get();
  ASSERT_EQ(engine.activate(spec), "");
  EXPECT_EQ(row(engine.traffic(1), 0).health, 0U);
  EXPECT_EQ(engine.traffic(1).target_failovers, 0U);
}

TEST(ForwarderFailover, the_lines_of_such_a_rule_say_so) {
  const LogCapture log;
  Acceptor target;
  Engine engine;
  const auto port = engine.serve(Engine::list(1, {target.port(), refused_port()}));
  {
    Socket client = Socket::connect_v4(port);
    target.accept().close();
    EXPECT_EQ(client.receive_all(), "");
  }
  EXPECT_TRUE(
      eventually([&] { return log.count("rule.conn_closed", {"\"multi_target\":true"}) == 1; }));
  engine.remove(1, milliseconds(5000)).get();
  EXPECT_EQ(log.count("rule.removed", {"\"multi_target\":true", "\"target_failovers_total\":0"}),
            1U);
}

}  // namespace
}  // namespace portunus::test
