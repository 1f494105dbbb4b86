#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "tests/dataplane/support/engine.hpp"
#include "tests/dataplane/support/sockets.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/support/scripted_dns.hpp"

namespace portunus::test {
namespace {

using std::chrono::milliseconds;

model::RuleSpec range(std::uint64_t id, std::uint16_t first, std::uint32_t count,
                      std::uint16_t target) {
  auto spec = Engine::rule(id, first, target);
  spec.ports = count;
  return spec;
}

std::uint16_t at(std::uint16_t first, std::uint32_t offset) {
  return static_cast<std::uint16_t>(first + offset);
}

std::string with_port(std::uint16_t port) {
  return "port_in_use:" + std::to_string(port);
}

TEST(ForwarderRange, RNG_1_what_is_no_range_is_refused) {
  Engine engine;
  EXPECT_EQ(engine.activate(range(1, free_port(), 0, 80)), "range_invalid");
  EXPECT_EQ(engine.activate(range(1, 65'500, 37, 80)), "range_invalid");
  EXPECT_EQ(engine.activate(range(1, 12'000, 37, 65'500)), "range_invalid");
  EXPECT_FALSE(engine.live(1));
}

TEST(ForwarderRange, RNG_5_a_range_combines_with_neither_a_list_nor_a_pattern) {
  Engine engine;
  auto list = Engine::list(1, {80, 81});
  list.listen_port = free_ports(2);
  list.ports = 2;
  EXPECT_EQ(engine.activate(list), "range_invalid");
  auto pattern = range(1, free_ports(2), 2, 80);
  pattern.sni_pattern = "example.com";
  EXPECT_EQ(engine.activate(pattern), "range_invalid");
}

TEST(ForwarderRange, RNG_2_each_port_leads_to_the_target_port_at_its_offset) {
  const LogCapture log;
  constexpr std::uint32_t kCount = 3;
  const auto target = free_ports(kCount);
  std::vector<Acceptor> targets;
  for (std::uint32_t i = 0; i < kCount; ++i) targets.emplace_back(16, false, at(target, i));
  Engine engine;
  const auto first = engine.serve(range(4, 0, kCount, target));
  for (std::uint32_t i = 0; i < kCount; ++i) {
    for (const bool v6 : {false, true}) {
      Socket client = v6 ? Socket::connect_v6(at(first, i)) : Socket::connect_v4(at(first, i));
      Socket up = targets[i].accept();
      const std::string text = "offset " + std::to_string(i);
      client.send(text);
      EXPECT_EQ(up.receive(text.size()), text);
    }
    EXPECT_TRUE(eventually([&] {
      return log.count("rule.conn_closed", {"\"listen_port\":" + std::to_string(at(first, i))}) ==
             2;
    }));
  }
  EXPECT_EQ(log.count("rule.activated",
                      {"\"listen_port\":" + std::to_string(first),
                       "\"listen_port_end\":" + std::to_string(at(first, 2)), "\"range_size\":3"}),
            1U);
}

TEST(ForwarderRange, RNG_3_binding_is_all_or_nothing_and_names_the_first_port_that_failed) {
  const LogCapture log;
  Engine engine;
  const auto first = free_ports(8);
  auto taken = std::make_unique<Acceptor>(1, false, at(first, 5));
  const Acceptor later(1, false, at(first, 6));
  EXPECT_EQ(engine.activate(range(1, first, 8, 80)), with_port(at(first, 5)));
  EXPECT_FALSE(engine.live(1));
  // The answer comes after everything was closed.
  for (std::uint32_t i = 0; i < 5; ++i) {
    EXPECT_FALSE(Socket::try_connect(at(first, i)).valid());
    EXPECT_NO_THROW(Acceptor(1, false, at(first, i)));
  }
  EXPECT_EQ(log.count("rule.failed", {"\"reason\":\"" + with_port(at(first, 5)) + "\"",
                                      "\"offending_port\":" + std::to_string(at(first, 5)),
                                      "\"listen_port_end\":" + std::to_string(at(first, 7))}),
            1U);
  taken.reset();
  EXPECT_EQ(engine.activate(range(1, first, 6, 80)), "");
}

TEST(ForwarderRange, LIFE_3_RNG_3_live_rules_that_overlap_collide_at_the_first_common_port) {
  Engine engine;
  const auto first = engine.serve(range(1, 0, 4, 80));
  EXPECT_EQ(engine.activate(range(2, at(first, 3), 4, 80)), with_port(at(first, 3)));
  // A rule of one port names none.
  EXPECT_EQ(engine.activate(range(2, at(first, 2), 1, 80)), "port_in_use");
  EXPECT_TRUE(engine.live(1));
}

TEST(ForwarderRange, RNG_4_ports_count_apart_and_sum_up_to_the_rule) {
  Server echo;
  const auto target = free_ports(2);
  Acceptor low(16, false, target);
  Acceptor high(16, false, at(target, 1));
  Engine engine;
  const auto first = engine.serve(range(1, 0, 2, target));
  Socket a = Socket::connect_v4(first);
  Socket a_up = low.accept();
  Socket b = Socket::connect_v4(at(first, 1));
  Socket b_up = high.accept();
  a.send("four");
  EXPECT_EQ(a_up.receive(4), "four");
  b_up.send("sixsix");
  EXPECT_EQ(b.receive(6), "sixsix");
  EXPECT_TRUE(eventually([&] {
    const auto now = engine.traffic(1);
    return now.bytes_in == 4 && now.bytes_out == 6;
  }));
  auto traffic = engine.traffic(1);
  ASSERT_EQ(traffic.ports.size(), 2U);
  EXPECT_EQ(traffic.ports[0].listen_port, first);
  EXPECT_EQ(traffic.ports[0].bytes_in, 4U);
  EXPECT_EQ(traffic.ports[0].bytes_out, 0U);
  EXPECT_EQ(traffic.ports[0].active_connections, 1U);
  EXPECT_EQ(traffic.ports[1].listen_port, at(first, 1));
  EXPECT_EQ(traffic.ports[1].bytes_in, 0U);
  EXPECT_EQ(traffic.ports[1].bytes_out, 6U);
  EXPECT_EQ(traffic.active_connections, 2U);
  a.close();
  a_up.close();
  EXPECT_TRUE(eventually([&] { return engine.traffic(1).ports[0].active_connections == 0; }));
  EXPECT_EQ(engine.traffic(1).ports[1].active_connections, 1U);
}

TEST(ForwarderRange, RNG_4_a_name_is_resolved_once_for_all_ports) {
  ScriptedDns dns([](const DnsQuestion& question) -> std::vector<DnsAnswer> {
    if (question.type != kTypeA) return {DnsAnswer{}};
    return {DnsAnswer{.records = {{question.name, kTypeA, 60, "127.0.0.1"}}}};
  });
  const auto target = free_ports(3);
  std::vector<Acceptor> targets;
  for (std::uint32_t i = 0; i < 3; ++i) targets.emplace_back(16, false, at(target, i));
  Engine engine({.workers = 2, .dns_servers = dns.server()});
  auto spec = range(1, 0, 3, target);
  spec.targets[0].host = "range.example";
  const auto first = engine.serve(spec);
  for (std::uint32_t i = 0; i < 3; ++i) {
    Socket client = Socket::connect_v4(at(first, i));
    targets[i].accept().send("hi");
    EXPECT_EQ(client.receive(2), "hi");
  }
  EXPECT_EQ(dns.questions().size(), 2U);  // A and AAAA
}

TEST(ForwarderRange, RNG_1_LIFE_2_a_thousand_ports_are_bound_within_a_second) {
  constexpr std::uint32_t kCount = 1024;
  rlimit descriptors{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &descriptors), 0);
  descriptors.rlim_cur = descriptors.rlim_max;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &descriptors), 0);
  const auto before = count_descriptors("socket:");
  Server echo;
  Engine engine;
  auto spec = range(1, free_ports(kCount), kCount, 1);
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_EQ(engine.activate(spec), "");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(1));
  for (const std::uint32_t offset : {0U, 511U, 1023U}) {
    EXPECT_TRUE(Socket::try_connect(at(spec.listen_port, offset)).valid());
  }
  engine.remove(1, milliseconds(0)).get();
  EXPECT_FALSE(Socket::try_connect(spec.listen_port).valid());
  EXPECT_FALSE(Socket::try_connect(at(spec.listen_port, 1023)).valid());
  engine.destroy();
  EXPECT_TRUE(eventually([&] { return count_descriptors("socket:") <= before + 1; }));
}

// What follows needs a process of its own, whose limits are changed.
class ForwarderRangeDeathTest : public testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

void without_descriptors_for_all() {
  const LogCapture log;
  Server echo;
  Engine engine({.workers = 2});
  const auto served = engine.serve(1, echo.port());
  const auto first = free_ports(200);
  const rlimit limit{.rlim_cur = 256, .rlim_max = 256};
  ::setrlimit(RLIMIT_NOFILE, &limit);
  const auto before = count_descriptors();
  const std::string reason = engine.activate(range(2, first, 200, 80));
  EXPECT_TRUE(reason.starts_with("bind_failed:")) << reason;
  const auto port = std::strtoul(reason.c_str() + reason.find(':') + 1, nullptr, 10);
  EXPECT_GT(port, first + 10U);
  EXPECT_LT(port, first + 200U);
  EXPECT_EQ(count_descriptors(), before);
  EXPECT_FALSE(Socket::try_connect(first).valid());
  EXPECT_EQ(log.count("rule.failed", {"\"offending_port\":" + std::to_string(port)}), 1U);
  Socket client = Socket::connect_v4(served);
  client.send("still");
  EXPECT_EQ(client.receive(5), "still");
  std::_Exit(testing::Test::HasFailure() ? 1 : 0);
}

TEST_F(ForwarderRangeDeathTest, RNG_3_without_descriptors_in_the_middle_nothing_stays_bound) {
  EXPECT_EXIT(without_descriptors_for_all(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace portunus::test
