#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <vector>

#include "tests/dataplane/support/denied_calls.hpp"
#include "tests/dataplane/support/engine.hpp"
#include "tests/dataplane/support/sockets.hpp"
#include "tests/support/log_capture.hpp"

namespace portunus::test {
namespace {

using std::chrono::milliseconds;

enum class Foreign { plain, reuse_address, reuse_port };

/// A listener of somebody else on that port; invalid when it cannot have it.
net::UniqueFd foreign_listener(std::uint16_t port, Foreign kind, in_addr_t address = INADDR_ANY) {
  net::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  if (kind != Foreign::plain) ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (kind == Foreign::reuse_port) ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_port = htons(port);
  in.sin_addr.s_addr = htonl(address);
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&in), sizeof in) != 0) return {};
  if (::listen(fd.get(), 8) != 0) return {};
  return fd;
}

void expect_echo(Socket socket, const std::string& text = "hello") {
  ASSERT_TRUE(socket.valid());
  ASSERT_TRUE(socket.send(text));
  EXPECT_EQ(socket.receive(text.size()), text);
}

TEST(ForwarderListeners, TCP_1_serves_ipv4_and_ipv6_with_native_addresses) {
  const LogCapture log;
  Server server;
  Engine engine;
  const auto port = engine.serve(7, server.port());
  expect_echo(Socket::connect_v4(port));
  expect_echo(Socket::connect_v6(port));
  EXPECT_TRUE(eventually([&] { return log.count("rule.conn_closed") == 2; }));
  EXPECT_EQ(log.count("rule.conn_closed", {"\"rule_id\":\"7\"", "\"peer\":\"127.0.0.1:"}), 1U);
  EXPECT_EQ(log.count("rule.conn_closed", {"\"peer\":\"[::1]:", "\"bytes_in\":5"}), 1U);
}

TEST(ForwarderListeners, LIFE_2_logs_the_activation_and_answers_within_a_second) {
  const LogCapture log;
  Server server;
  Engine engine;
  const auto begin = std::chrono::steady_clock::now();
  const auto port = engine.serve(18446744073709551615U, server.port());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(1));
  EXPECT_TRUE(engine.live(18446744073709551615U));
  EXPECT_EQ(
      log.count("rule.activated",
                {"\"rule_id\":\"18446744073709551615\"", "\"listen_port\":" + std::to_string(port),
                 "\"range_size\":1", "\"protocol\":\"tcp\"",
                 "\"target\":\"127.0.0.1:" + std::to_string(server.port()) + "\""}),
      1U);
}

TEST(ForwarderListeners, refuses_what_it_does_not_do) {
  const LogCapture log;
  Engine engine;
  EXPECT_EQ(engine.activate(Engine::rule(1, free_port(), 80, "-bad-")), "invalid_target_host");
  EXPECT_EQ(engine.activate(Engine::rule(1, free_port(), 80, "::1")), "invalid_target_host");
  EXPECT_EQ(engine.activate(Engine::rule(1, free_port(), 0)), "target_invalid_port:0");
  auto second = Engine::rule(1, free_port(), 80);
  second.targets.push_back({.host = "127.0.0.1", .port = 0});
  EXPECT_EQ(engine.activate(second), "target_invalid_port:1");
  EXPECT_EQ(engine.activate(Engine::rule(1, 0, 80)), "range_invalid");
  auto none = Engine::rule(1, free_port(), 80);
  none.targets.clear();
  EXPECT_EQ(engine.activate(none), "invalid_target_host");
  EXPECT_FALSE(engine.live(1));
  EXPECT_EQ(log.count("rule.failed"), 6U);
  EXPECT_EQ(log.count("rule.failed", {"offending_port"}), 0U);
}

TEST(ForwarderListeners, an_id_that_is_live_is_not_activated_twice) {
  Server server;
  Engine engine;
  engine.serve(1, server.port());
  EXPECT_EQ(engine.activate(Engine::rule(1, free_port(), server.port())), "duplicate_rule_id");
  EXPECT_TRUE(engine.live(1));
}

TEST(ForwarderListeners, D10_two_live_rules_collide) {
  const LogCapture log;
  Server server;
  Engine engine;
  const auto port = engine.serve(1, server.port());
  EXPECT_EQ(engine.activate(Engine::rule(2, port, server.port())), "port_in_use");
  EXPECT_EQ(log.count("rule.failed", {"\"rule_id\":\"2\"", "\"reason\":\"port_in_use\"",
                                      "\"offending_port\":" + std::to_string(port)}),
            1U);
  EXPECT_FALSE(engine.live(2));
  expect_echo(Socket::connect_v4(port));
}

TEST(ForwarderListeners, D10_two_engines_collide) {
  Server server;
  Engine first;
  Engine second;
  const auto port = first.serve(1, server.port());
  EXPECT_EQ(second.activate(Engine::rule(1, port, server.port())), "port_in_use");
}

class ForeignSocket : public testing::TestWithParam<Foreign> {};

TEST_P(ForeignSocket, D10_collides_with_a_rule) {
  Engine engine;
  for (const in_addr_t address : {INADDR_ANY, INADDR_LOOPBACK}) {
    const auto port = free_port();
    auto foreign = foreign_listener(port, GetParam(), address);
    ASSERT_TRUE(foreign);
    EXPECT_EQ(engine.activate(Engine::rule(1, port, 80)), "port_in_use");
    foreign.reset();
    EXPECT_EQ(engine.activate(Engine::rule(1, port, 80)), "");
    engine.remove(1, milliseconds(0)).get();
  }
}

INSTANTIATE_TEST_SUITE_P(ForwarderListeners, ForeignSocket,
                         testing::Values(Foreign::plain, Foreign::reuse_address,
                                         Foreign::reuse_port));

TEST(ForwarderListeners, D10_a_foreign_socket_that_comes_later_is_refused) {
  Engine engine;
  const auto port = engine.serve(1, 80);
  EXPECT_FALSE(foreign_listener(port, Foreign::plain));
  EXPECT_FALSE(foreign_listener(port, Foreign::reuse_address));
}

TEST(ForwarderListeners, TCP_2_time_wait_is_not_in_the_way) {
  // The target closes first, so that the engine's side of the downstream connection waits.
  Server server([](Socket socket) { socket.receive(1); });
  Engine engine;
  const auto port = engine.serve(1, server.port());
  Socket client = Socket::connect_v4(port);
  client.send("x");
  EXPECT_EQ(client.receive_all(), "");
  EXPECT_EQ(client.error(), 0);
  client.close();
  ASSERT_TRUE(eventually([&] { return engine.traffic(1).active_connections == 0; }));
  engine.remove(1, milliseconds(0)).get();
  std::ifstream table("/proc/net/tcp");
  char waiting[32];
  std::snprintf(waiting, sizeof waiting, ":%04X 0100007F:", port);
  const std::string all((std::istreambuf_iterator<char>(table)), {});
  EXPECT_NE(all.find(waiting), std::string::npos) << "no connection waits, nothing is proved";
  EXPECT_EQ(engine.activate(Engine::rule(1, port, server.port())), "");
}

TEST(ForwarderListeners, many_connections_reach_every_worker) {
  Server server;
  Engine engine({.workers = 4});
  const auto port = engine.serve(1, server.port());
  std::vector<Socket> clients;
  for (int i = 0; i < 64; ++i) clients.push_back(Socket::connect_v4(port));
  for (Socket& client : clients) ASSERT_TRUE(client.send("ping"));
  for (Socket& client : clients) EXPECT_EQ(client.receive(4), "ping");
  EXPECT_EQ(engine.traffic(1).active_connections, 64U);
  EXPECT_TRUE(eventually([&] { return engine.traffic(1).bytes_out == 256; }));
}

/// The engine's listening sockets on that port.
std::vector<int> listening_descriptors(std::uint16_t port) {
  std::vector<int> found;
  for (int fd = 0; fd < 1024; ++fd) {
    int listening = 0;
    socklen_t size = sizeof listening;
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    if (::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 || listening == 0 ||
        ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
      continue;
    }
    if (ntohs(reinterpret_cast<sockaddr_in&>(address).sin_port) == port) found.push_back(fd);
  }
  return found;
}

TEST(ForwarderListeners, LIFE_5_a_listener_that_dies_takes_its_rule_down_and_no_other) {
  const LogCapture log;
  Server server;
  Engine engine;
  const auto port = engine.serve(6, server.port());
  const auto other = engine.serve(7, server.port());
  Socket held = Socket::connect_v4(port);
  held.send("x");
  EXPECT_EQ(held.receive(1), "x");
  const auto sockets = listening_descriptors(port);
  ASSERT_EQ(sockets.size(), 4U);
  ::shutdown(sockets.front(), SHUT_RDWR);
  const std::string reason = "unexpected_task_exit:Listener(" + std::to_string(port) + ")";
  EXPECT_TRUE(eventually([&] { return !engine.failures().empty(); }));
  EXPECT_EQ(engine.failures(), std::vector<std::string>{"6 " + reason});
  EXPECT_EQ(log.count("rule.failed",
                      {"\"level\":\"WARN\"", "\"rule_id\":\"6\"", "\"reason\":\"" + reason + "\""}),
            1U);
  EXPECT_EQ(log.count("rule.removed"), 0U);
  EXPECT_FALSE(engine.live(6));
  // Everything is released: the connection is gone and the port free.
  EXPECT_EQ(held.receive_all(), "");
  EXPECT_FALSE(Socket::try_connect(port).valid());
  EXPECT_EQ(engine.activate(Engine::rule(8, port, server.port())), "");
  expect_echo(Socket::connect_v4(port));
  expect_echo(Socket::connect_v4(other));
}

TEST(ForwarderListeners, LIFE_5_a_death_that_ends_the_process_is_an_error_whatever_is_filtered) {
  const LogCapture log("error");
  Server server;
  Engine engine({.workers = 1, .death_level = log::Level::error});
  ASSERT_NE(engine.activate(Engine::rule(6, 0, server.port())), "");
  const auto port = engine.serve(7, server.port());
  ::shutdown(listening_descriptors(port).at(0), SHUT_RDWR);
  EXPECT_TRUE(eventually([&] { return !engine.failures().empty(); }));
  EXPECT_EQ(log.count("rule.failed"), 1U) << "not the one that never lived";
  EXPECT_EQ(log.count("rule.failed", {"\"level\":\"ERROR\"", "\"rule_id\":\"7\""}), 1U);
}

// What follows needs a process of its own, whose limits and system calls are changed.
class ForwarderListenersDeathTest : public testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

[[noreturn]] void done() {
  std::_Exit(testing::Test::HasFailure() ? 1 : 0);
}

void without_descriptors() {
  const LogCapture log;
  Acceptor target;
  Engine engine({.workers = 1});
  const auto port = engine.serve(1, target.port());
  Socket client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const rlimit limit{.rlim_cur = 128, .rlim_max = 128};
  ::setrlimit(RLIMIT_NOFILE, &limit);
  std::vector<net::UniqueFd> hoard;
  while (true) {
    net::UniqueFd fd(::dup(0));
    if (!fd) break;
    hoard.push_back(std::move(fd));
  }
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_port = htons(port);
  in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(::connect(client.fd(), reinterpret_cast<sockaddr*>(&in), sizeof in), 0);
  EXPECT_TRUE(eventually([&] { return log.count("rule.accept_error") >= 4; }));
  // The first failure is at once, each further one 50 ms later.
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(140));
  EXPECT_GE(log.count("rule.accept_error", {"Too many open files", "\"rule_id\":\"1\""}), 4U);
  EXPECT_TRUE(engine.live(1));
  hoard.clear();
  client.send("late");
  EXPECT_EQ(target.accept().receive(4), "late");
  done();
}

TEST_F(ForwarderListenersDeathTest, TCP_4_an_accept_without_descriptors_is_tried_again) {
  EXPECT_EXIT(without_descriptors(), testing::ExitedWithCode(0), "");
}

void without_the_right_to_accept() {
  ::alarm(60);  // a core that spins would never let go of the rule
  const LogCapture log;
  deny_call(SYS_accept4, EPERM);
  Engine engine({.workers = 1});
  const auto port = engine.serve(1, refused_port());
  const Socket client = Socket::connect_v4(port);
  EXPECT_TRUE(eventually([&] {
    return log.count("rule.accept_error", {"Operation not permitted", "\"rule_id\":\"1\""}) >= 2;
  }));
  engine.remove(1, milliseconds(0)).get();
  done();
}

TEST_F(ForwarderListenersDeathTest, TCP_4_a_forbidden_accept_does_not_spin) {
  EXPECT_EXIT(without_the_right_to_accept(), testing::ExitedWithCode(0), "");
}

void without_ipv6() {
  Server server;
  deny_call(SYS_socket, EAFNOSUPPORT, Argument{0, AF_INET6});
  Engine engine;
  const auto port = engine.serve(1, server.port());
  expect_echo(Socket::connect_v4(port));
  done();
}

TEST_F(ForwarderListenersDeathTest, TCP_1_without_ipv6_the_port_is_served_by_ipv4) {
  EXPECT_EXIT(without_ipv6(), testing::ExitedWithCode(0), "");
}

void with_broken_ipv6() {
  Server server;
  deny_call(SYS_socket, EMFILE, Argument{0, AF_INET6});
  Engine engine;
  EXPECT_EQ(engine.activate(Engine::rule(1, 12000, server.port())), "bind_failed");
  done();
}

TEST_F(ForwarderListenersDeathTest, TCP_1_any_other_ipv6_error_fails_the_port) {
  EXPECT_EXIT(with_broken_ipv6(), testing::ExitedWithCode(0), "");
}

void without_port_sharing() {
  Server server;
  deny_call(SYS_setsockopt, ENOPROTOOPT, Argument{1, SOL_SOCKET}, Argument{2, SO_REUSEPORT});
  Engine engine({.workers = 3});
  const auto port = engine.serve(1, server.port());
  std::vector<Socket> clients;
  for (int i = 0; i < 32; ++i) clients.push_back(Socket::connect_v4(port));
  for (Socket& client : clients) expect_echo(std::move(client));
  engine.remove(1, milliseconds(5000)).get();
  EXPECT_FALSE(Socket::try_connect(port).valid());
  EXPECT_EQ(engine.activate(Engine::rule(2, port, server.port())), "");
  expect_echo(Socket::connect_v4(port));
  done();
}

TEST_F(ForwarderListenersDeathTest, D10_workers_share_one_socket_where_ports_cannot_be_shared) {
  EXPECT_EXIT(without_port_sharing(), testing::ExitedWithCode(0), "");
}

void without_privileges() {
  deny_call(SYS_bind, EACCES);
  Engine engine;
  EXPECT_EQ(engine.activate(Engine::rule(1, 443, 80)), "permission_denied");
  done();
}

TEST_F(ForwarderListenersDeathTest, a_privileged_port_is_permission_denied) {
  EXPECT_EXIT(without_privileges(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace portunus::test
