#include <gtest/gtest.h>

#include <latch>
#include <vector>

#include "tests/dataplane/support/engine.hpp"
#include "tests/dataplane/support/sockets.hpp"
#include "tests/support/log_capture.hpp"

namespace portunus::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

bool ready(const std::future<void>& future, milliseconds patience = milliseconds(0)) {
  return future.wait_for(patience) == std::future_status::ready;
}

std::string ask(Socket& socket, const std::string& text) {
  socket.send(text);
  return socket.receive(text.size());
}

TEST(ForwarderDrain, DRN_1_DRN_3_removal_refuses_newcomers_and_keeps_connections) {
  const LogCapture log;
  Server server;
  Engine engine;
  const auto port = engine.serve(1, server.port());
  Socket client = Socket::connect_v4(port);
  EXPECT_EQ(ask(client, "before"), "before");
  const auto removed = engine.remove(1, seconds(30));
  EXPECT_TRUE(eventually([&] { return !Socket::try_connect(port).valid(); }, seconds(1)));
  EXPECT_FALSE(engine.live(1));
  EXPECT_TRUE(engine.forwarder().counters().empty());
  EXPECT_EQ(ask(client, "after"), "after");
  // Nothing is said before the last connection is gone.
  EXPECT_FALSE(ready(removed, milliseconds(50)));
  EXPECT_EQ(log.count("rule.removed"), 0U);
  client.close();
  EXPECT_TRUE(ready(removed, kPatience));
  EXPECT_EQ(log.count("rule.removed", {"\"rule_id\":\"1\"", "\"protocol\":\"tcp\""}), 1U);
  EXPECT_EQ(log.count("rule.conn_error"), 0U);
}

TEST(ForwarderDrain, DRN_2_the_deadline_resets_what_is_left) {
  const LogCapture log;
  Acceptor target;
  Engine engine;
  const auto port = engine.serve(1, target.port());
  Socket down = Socket::connect_v4(port);
  Socket up = target.accept();
  down.send("x");
  EXPECT_EQ(up.receive(1), "x");
  const auto begin = Clock::now();
  engine.remove(1, milliseconds(300)).get();
  EXPECT_GE(Clock::now() - begin, milliseconds(290));
  EXPECT_LT(Clock::now() - begin, seconds(5));
  EXPECT_EQ(down.receive_all(), "");
  EXPECT_EQ(down.error(), ECONNRESET);
  EXPECT_EQ(up.receive_all(), "");
  EXPECT_EQ(up.error(), ECONNRESET);
  EXPECT_EQ(log.count("rule.conn_error", {"\"error\":\"proxy_cancelled\""}), 1U);
  EXPECT_EQ(log.count("rule.removed"), 1U);
}

TEST(ForwarderDrain, DRN_2_the_deadline_ends_dialling_connections_too) {
  const LogCapture log;
  Acceptor target(0);
  const Socket filler = Socket::connect_v4(target.port());
  Engine engine({.workers = 1});
  const auto port = engine.serve(1, target.port());
  Socket client = Socket::connect_v4(port);
  ASSERT_TRUE(eventually([&] { return find_connected(client.local_port(), -1).has_value(); }));
  const auto begin = Clock::now();
  engine.remove(1, milliseconds(200)).get();
  EXPECT_LT(Clock::now() - begin, milliseconds(2500));
  EXPECT_EQ(log.count("rule.conn_error", {"\"error\":\"proxy_cancelled\""}), 1U);
}

TEST(ForwarderDrain, a_removal_without_connections_is_immediate_and_an_unknown_id_nothing) {
  const LogCapture log;
  Engine engine;
  engine.serve(1, 80);
  engine.remove(99, seconds(30)).get();
  EXPECT_TRUE(engine.live(1));
  engine.remove(1, seconds(30)).get();
  engine.remove(1, seconds(30)).get();
  EXPECT_EQ(log.count("rule.removed"), 1U);
}

TEST(ForwarderDrain, TCP_2_the_port_is_bound_again_while_the_predecessor_drains) {
  Server server;
  Engine engine;
  const auto port = engine.serve(1, server.port());
  for (int generation = 0; generation < 5; ++generation) {
    Socket old = Socket::connect_v4(port);
    EXPECT_EQ(ask(old, "old"), "old");
    auto removed = engine.remove(1, seconds(30));
    ASSERT_EQ(engine.activate(Engine::rule(1, port, server.port())), "");
    // It counts on its own.
    EXPECT_EQ(engine.traffic(1).bytes_in, 0U);
    EXPECT_EQ(engine.traffic(1).active_connections, 0U);
    Socket fresh = Socket::connect_v4(port);
    EXPECT_EQ(ask(fresh, "fresh"), "fresh");
    EXPECT_EQ(ask(old, "still"), "still");
    EXPECT_EQ(engine.traffic(1).bytes_in, 5U);
    EXPECT_FALSE(ready(removed));
    old.close();
    removed.get();
  }
}

TEST(ForwarderDrain, what_waits_in_the_accept_queue_is_still_served) {
  std::latch stall(1);
  std::atomic<bool> stalled = false;
  Acceptor target;
  Engine engine({.workers = 1});
  const auto port = engine.serve(1, target.port());
  // The log line of an ending connection stops the only worker.
  log::capture_for_test([&](std::string_view line) {
    if (!line.contains("rule.conn_error") || stalled.exchange(true)) return;
    stall.wait();
  });
  Socket::connect_v4(port).reset();
  ASSERT_TRUE(eventually([&] { return stalled.load(); }));
  std::vector<Socket> waiting;
  for (int i = 0; i < 25; ++i) waiting.push_back(Socket::connect_v4(port));
  auto removed = engine.remove(1, seconds(30));
  ASSERT_TRUE(eventually([&] { return !engine.live(1); }));
  stall.count_down();
  target.accept();
  for (Socket& client : waiting) {
    ASSERT_TRUE(client.send("served"));
    Socket up = target.accept();
    EXPECT_EQ(up.receive(6), "served");
  }
  waiting.clear();
  removed.get();
  log::capture_for_test(nullptr);
}

TEST(ForwarderDrain, DRN_7_drain_ends_every_rule_and_then_nothing_starts) {
  const LogCapture log;
  Server server;
  Engine engine;
  std::vector<Socket> clients;
  for (std::uint64_t id = 1; id <= 3; ++id) {
    clients.push_back(Socket::connect_v4(engine.serve(id, server.port())));
    EXPECT_EQ(ask(clients.back(), "ping"), "ping");
  }
  // One is on its way already, with more time than the drain gives.
  auto removed = engine.remove(1, seconds(600));
  auto drained = engine.drain(milliseconds(400));
  clients[1].close();
  EXPECT_FALSE(ready(drained, milliseconds(100)));
  drained.get();
  removed.get();
  EXPECT_EQ(log.count("rule.removed"), 3U);
  EXPECT_EQ(log.count("rule.conn_error", {"proxy_cancelled"}), 2U);
  EXPECT_TRUE(engine.forwarder().counters().empty());
  EXPECT_EQ(engine.activate(Engine::rule(9, free_port(), server.port())), "bind_failed");
}

TEST(ForwarderDrain, destruction_aborts_and_leaves_no_descriptor) {
  Acceptor target;
  const std::size_t before = count_descriptors();
  {
    Engine engine;
    const auto port = engine.serve(1, target.port());
    Socket down = Socket::connect_v4(port);
    Socket up = target.accept();
    down.send("x");
    EXPECT_EQ(up.receive(1), "x");
    engine.destroy();
    EXPECT_EQ(down.receive_all(), "");
    EXPECT_EQ(down.error(), ECONNRESET);
    EXPECT_EQ(up.receive_all(), "");
    EXPECT_EQ(up.error(), ECONNRESET);
  }
  EXPECT_EQ(count_descriptors(), before);
}

TEST(ForwarderDrain, destruction_during_a_removal_completes_it) {
  Acceptor target;
  Engine engine;
  Socket client = Socket::connect_v4(engine.serve(1, target.port()));
  const Socket up = target.accept();
  auto removed = engine.remove(1, seconds(600));
  ASSERT_TRUE(eventually([&] { return !engine.live(1); }));
  engine.destroy();
  EXPECT_TRUE(ready(removed, kPatience));
}

}  // namespace
}  // namespace portunus::test
