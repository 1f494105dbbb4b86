#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "tests/dataplane/support/engine.hpp"
#include "tests/dataplane/support/sockets.hpp"
#include "tests/support/log_capture.hpp"

namespace portunus::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(ForwarderDial, TCP_5_a_refusing_target_ends_the_connection_and_not_the_rule) {
  const LogCapture log;
  Engine engine;
  const auto port = engine.serve(1, refused_port());
  for (int i = 0; i < 3; ++i) {
    Socket client = Socket::connect_v4(port);
    EXPECT_EQ(client.receive_all(), "");
    EXPECT_EQ(client.error(), 0);
  }
  EXPECT_EQ(log.count("rule.conn_error", {"\"error\":\"connect: Connection refused\"",
                                          "\"listen_port\":" + std::to_string(port)}),
            3U);
  EXPECT_TRUE(engine.live(1));
  EXPECT_EQ(engine.traffic(1).active_connections, 0U);
}

TEST(ForwarderDial, TCP_5_every_one_of_many_lost_connections_has_its_line) {
  const LogCapture log;
  Engine engine;
  const auto port = engine.serve(1, refused_port());
  for (int i = 0; i < 50; ++i) EXPECT_EQ(Socket::connect_v4(port).receive_all(), "");
  EXPECT_TRUE(eventually([&] { return log.count("rule.conn_error") == 50; }));
  EXPECT_EQ(log.count("rule.conn_error", {"suppressed"}), 0U);
}

TEST(ForwarderDial, TCP_5_an_unreachable_target_is_a_dial_error) {
  const LogCapture log;
  Engine engine;
  const auto port = free_port();
  // A broadcast address takes no TCP connection.
  ASSERT_EQ(engine.activate(Engine::rule(1, port, 80, "255.255.255.255")), "");
  Socket client = Socket::connect_v4(port);
  EXPECT_EQ(client.receive_all(), "");
  EXPECT_TRUE(eventually([&] { return log.count("rule.conn_error", {"connect: "}) == 1; }));
}

TEST(ForwarderDial, TCP_5_a_silent_target_is_given_three_seconds) {
  const LogCapture log;
  SilentTarget target;
  Engine engine({.workers = 1});
  const auto port = engine.serve(1, target.port());
  const auto begin = std::chrono::steady_clock::now();
  std::vector<Socket> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(Socket::connect_v4(port));
    ASSERT_TRUE(clients.back().send("waiting"));
  }
  for (Socket& client : clients) client.receive_all();
  const auto took = std::chrono::steady_clock::now() - begin;
  EXPECT_GE(took, seconds(3));
  EXPECT_LT(took, seconds(6));
  EXPECT_EQ(log.count("rule.conn_error", {"\"error\":\"connect: Connection timed out\""}), 4U);
  EXPECT_EQ(engine.traffic(1).bytes_in, 0U);
}

TEST(ForwarderDial, TCP_3_the_dial_budget_ends_with_the_dial_and_idle_time_is_free) {
  Acceptor target;
  Engine engine;
  Socket down = Socket::connect_v4(engine.serve(1, target.port()));
  Socket up = target.accept();
  down.half_close();
  EXPECT_EQ(up.receive_all(), "");
  std::this_thread::sleep_for(milliseconds(3300));
  up.send("late");
  EXPECT_EQ(down.receive(4), "late");
}

TEST(ForwarderDial, a_client_that_resets_while_dialling_ends_the_connection) {
  const LogCapture log;
  SilentTarget target;
  Engine engine;
  const auto port = engine.serve(1, target.port());
  Socket::connect_v4(port).reset();
  EXPECT_TRUE(eventually([&] { return log.count("rule.conn_error") == 1; }, seconds(2)));
}

TEST(ForwarderDial, what_a_client_sends_while_dialling_is_delivered) {
  Server server;
  Engine engine;
  const auto port = engine.serve(1, server.port());
  Socket client = Socket::connect_v4(port);
  client.send("early");
  client.half_close();
  EXPECT_EQ(client.receive_all(), "early");
}

TEST(ForwarderDial, an_ipv6_target_is_dialled) {
  Acceptor target(16, true);
  Engine engine;
  const auto port = free_port();
  ASSERT_EQ(engine.activate(Engine::rule(1, port, target.port(), "[::1]")), "");
  Socket client = Socket::connect_v4(port);
  Socket up = target.accept();
  client.send("six");
  EXPECT_EQ(up.receive(3), "six");
}

}  // namespace
}  // namespace portunus::test
