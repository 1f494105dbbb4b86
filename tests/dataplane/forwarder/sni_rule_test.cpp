// On a port in SNI mode everything behind the routing is the matched rule's own.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cstdlib>
#include <mutex>
#include <string>
#include <vector>

#include "dataplane/proxy_protocol/header.hpp"
#include "tests/dataplane/support/denied_calls.hpp"
#include "tests/dataplane/support/sni.hpp"
#include "tests/support/log_capture.hpp"

namespace portunus::test {
namespace {

using dataplane::proxy_protocol::decode;
using model::ProxyVersion;

class SniRuleTest : public testing::Test {
 protected:
  std::string port_field() const { return "\"listen_port\":" + std::to_string(port_); }
  model::RuleSpec rule_to(std::uint64_t id, const Acceptor& target, std::string pattern) {
    auto rule = Engine::rule(id, port_, target.port());
    rule.sni_pattern = std::move(pattern);
    return rule;
  }

  const std::string hello_ = client_hello("a.example.com");
  const std::uint16_t port_ = free_port();
  // Lives longer than the engine, whose threads write to it.
  const LogCapture log_;
  SniEngine engine_;
};

TEST_F(SniRuleTest, SNI_8_the_proxy_header_comes_before_the_captured_bytes) {
  for (const auto version : {ProxyVersion::v1, ProxyVersion::v2}) {
    Acceptor target;
    auto rule = rule_to(1, target, "a.example.com");
    rule.targets[0].proxy = version;
    ASSERT_EQ(engine_.activate(rule), "");
    Socket client = Socket::connect_v4(port_);
    client.send(hello_);
    client.half_close();
    const std::string got = target.accept().receive_all();
    const auto header = decode(byte_span(got));
    ASSERT_TRUE(header);
    EXPECT_EQ(header->version, version);
    EXPECT_EQ(header->source.text(), "127.0.0.1:" + std::to_string(client.local_port()));
    EXPECT_EQ(header->destination.text(), "127.0.0.1:" + std::to_string(port_));
    EXPECT_EQ(got.substr(header->size), hello_);
    // CNT-4: the header is not counted.
    EXPECT_TRUE(eventually([&] { return engine_.traffic(1).bytes_in == hello_.size(); }));
    engine_.remove(1, std::chrono::milliseconds(0)).get();
  }
}

TEST_F(SniRuleTest, SNI_8_a_failing_target_hands_over_with_the_hello_untouched) {
  Server second(says('s'));
  auto rule = sni_rule(1, port_, second, "a.example.com");
  rule.targets.insert(rule.targets.begin(), {.host = "127.0.0.1", .port = free_port()});
  rule.targets[1].priority = 1;
  ASSERT_EQ(engine_.activate(rule), "");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(ask_v4(port_, hello_), "s");
  EXPECT_EQ(engine_.traffic(1).target_failovers, 1U);
  EXPECT_EQ(log_.count("rule.target.dial_failed", {"\"target_index\":0"}), 3U);
  EXPECT_TRUE(eventually([&] {
    const auto traffic = engine_.traffic(1);
    return traffic.targets.size() == 2 && traffic.targets[1].bytes_in == 4 * hello_.size();
  }));
}

TEST_F(SniRuleTest, SNI_9_the_gates_are_those_of_the_matched_rule_and_run_after_the_routing) {
  Acceptor target;
  auto capped = rule_to(1, target, "a.example.com");
  capped.rate_limit = model::RateLimit{.concurrent_connections = 1};
  capped.owner_id = "alice";
  Server other(says('o'));
  ASSERT_EQ(engine_.activate(capped), "");
  ASSERT_EQ(engine_.activate(sni_rule(2, port_, other, "b.example.com")), "");
  Socket first = Socket::connect_v4(port_);
  first.send(hello_);
  const Socket served = target.accept();

  Socket second = Socket::connect_v4(port_);
  second.send(hello_);
  EXPECT_EQ(second.receive_all(), "");
  EXPECT_EQ(second.error(), ECONNRESET);
  EXPECT_FALSE(target.pending());
  EXPECT_EQ(log_.count("tls.rate_limit_reject",
                       {port_field(), "\"scope\":\"rule\"", "\"reason\":\"conn_concurrent\""}),
            1U);
  EXPECT_EQ(log_.count("rule.rate_limit_reject"), 0U);

  engine_.on_owner([](dataplane::Forwarder& f) { f.set_quota("alice", 0, false); });
  Socket third = Socket::connect_v4(port_);
  third.send(hello_);
  EXPECT_EQ(third.receive_all(), "");
  EXPECT_EQ(third.error(), ECONNRESET);
  EXPECT_EQ(log_.count("rule.quota_reject", {port_field(), "\"user\":\"alice\""}), 1U);
  EXPECT_EQ(ask_for(port_, "b.example.com"), "o") << "the sibling has another owner";
}

TEST_F(SniRuleTest, QUO_2_the_captured_bytes_draw_on_the_quota) {
  Acceptor target;
  auto rule = rule_to(1, target, "a.example.com");
  rule.owner_id = "alice";
  ASSERT_EQ(engine_.activate(rule), "");
  engine_.on_owner([](dataplane::Forwarder& f) { f.set_quota("alice", 20, false); });
  Socket client = Socket::connect_v4(port_);
  client.send(hello_);
  EXPECT_EQ(target.accept().receive_all(), hello_.substr(0, 20));
  EXPECT_TRUE(eventually([&] { return engine_.traffic(1).active_connections == 0; }));
  EXPECT_EQ(engine_.traffic(1).bytes_in, 20U);
}

TEST_F(SniRuleTest, SNI_8_without_any_target_the_connection_is_closed) {
  auto rule = Engine::rule(1, port_, free_port());
  rule.targets.push_back({.host = "127.0.0.1", .port = free_port(), .priority = 1});
  rule.sni_pattern = "a.example.com";
  ASSERT_EQ(engine_.activate(rule), "");
  EXPECT_NE(ask_v4(port_, hello_), "s");
  EXPECT_TRUE(eventually([&] {
    return log_.count("rule.conn_error_all_targets_failed", {"\"rule_id\":\"1\""}) == 1;
  }));
  EXPECT_EQ(log_.count("tls.proxy_finished_error", {port_field(), "\"rule_id\":\"1\""}), 1U);
}

/// The descriptor of one of this process's sockets that listen on the port.
std::optional<int> find_listener(std::uint16_t port) {
  for (int fd = 0; fd < 1024; ++fd) {
    int listens = 0;
    socklen_t size = sizeof listens;
    if (::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || listens == 0) continue;
    sockaddr_storage address;
    size = sizeof address;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) continue;
    if (ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port) == port) return fd;
  }
  return std::nullopt;
}

TEST_F(SniRuleTest, LIFE_5_a_listener_that_dies_fails_every_member_and_nobody_else) {
  Server server(says('s'));
  std::mutex mutex;
  std::vector<std::string> failed;
  engine_.forwarder().on_rule_failed(
      [&](const model::RuleTraffic& last, const std::string& reason) {
        const std::lock_guard lock(mutex);
        failed.push_back(std::to_string(last.rule.value) + " " + reason);
      });
  const auto count = [&] {
    const std::lock_guard lock(mutex);
    return failed.size();
  };
  ASSERT_EQ(engine_.activate(sni_rule(1, port_, server, "a.example.com")), "");
  ASSERT_EQ(engine_.activate(sni_rule(2, port_, server)), "");
  const auto other = engine_.serve(3, server.port());
  const auto listener = find_listener(port_);
  ASSERT_TRUE(listener);
  ::shutdown(*listener, SHUT_RDWR);
  ASSERT_TRUE(eventually([&] { return count() == 2; }));
  const std::string reason = " unexpected_task_exit:Listener(" + std::to_string(port_) + ")";
  EXPECT_THAT(failed, testing::UnorderedElementsAre("1" + reason, "2" + reason));
  EXPECT_FALSE(engine_.sni(port_));
  EXPECT_FALSE(Socket::try_connect(port_).valid());
  EXPECT_EQ(ask_v4(other, "still here"), "s");
  // Everything of it was released.
  ASSERT_EQ(engine_.activate(sni_rule(1, port_, server, "a.example.com")), "");
  EXPECT_EQ(ask_v4(port_, hello_), "s");
}

class SniRuleDeathTest : public testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

void without_a_local_address() {
  const LogCapture log;
  Server server(says('s'));
  const auto port = free_port();
  // Threads that start later inherit it.
  deny_call(SYS_getsockname, ENOBUFS);
  SniEngine engine;
  auto rule = sni_rule(1, port, server, "a.example.com");
  rule.targets[0].proxy = ProxyVersion::v2;
  EXPECT_EQ(engine.activate(rule), "");
  EXPECT_NE(ask_for(port, "a.example.com"), "s");
  EXPECT_TRUE(eventually([&] {
    return log.count("tls.proxy_protocol_local_addr_failed",
                     {"\"rule_id\":\"1\"", "\"listen_port\":" + std::to_string(port)}) == 1;
  }));
  std::_Exit(testing::Test::HasFailure() ? 1 : 0);
}

TEST_F(SniRuleDeathTest, PP_1_without_its_own_address_a_connection_ends) {
  EXPECT_EXIT(without_a_local_address(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace portunus::test
