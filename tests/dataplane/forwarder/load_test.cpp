#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "tests/dataplane/support/engine.hpp"
#include "tests/dataplane/support/sockets.hpp"
#include "tests/support/log_capture.hpp"

namespace portunus::test {
namespace {

TEST(ForwarderLoad, two_hundred_parallel_connections_keep_their_bytes) {
  const LogCapture log("info");
  Server server;
  Engine engine;
  const auto port = engine.serve(1, server.port());
  constexpr std::size_t kConnections = 200;
  std::atomic<int> good = 0;
  std::atomic<std::uint64_t> sent = 0;
  {
    std::vector<std::jthread> clients;
    for (std::size_t i = 0; i < kConnections; ++i) {
      clients.emplace_back([&, i] {
        const std::string bytes = noise(1000 + i * 2003, i);
        Socket client = Socket::connect_v4(port);
        std::jthread sender([&] {
          client.send(bytes);
          client.half_close();
        });
        if (client.receive_all() == bytes && client.error() == 0) ++good;
        sent += bytes.size();
      });
    }
  }
  EXPECT_EQ(good, static_cast<int>(kConnections));
  EXPECT_TRUE(eventually([&] { return engine.traffic(1).active_connections == 0; }));
  EXPECT_EQ(engine.traffic(1).bytes_in, sent);
  EXPECT_EQ(engine.traffic(1).bytes_out, sent);
  EXPECT_EQ(log.count("rule.conn_error"), 0U);
}

TEST(ForwarderLoad, many_short_connections_leave_nothing_behind) {
  const LogCapture log("info");
  Acceptor target;
  std::jthread server([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      if (!target.pending(std::chrono::milliseconds(10))) continue;
      Socket up = target.accept();
      up.send(up.receive(7) + "+answer");
    }
  });
  Engine engine;
  const auto port = engine.serve(1, target.port());
  const std::size_t before = count_descriptors();
  constexpr std::uint64_t kRequests = 1500;
  for (std::uint64_t i = 0; i < kRequests; ++i) {
    Socket client = Socket::connect_v4(port);
    ASSERT_TRUE(client.send("request"));
    ASSERT_EQ(client.receive_all(), "request+answer");
    ASSERT_EQ(client.error(), 0);
  }
  EXPECT_TRUE(eventually([&] { return engine.traffic(1).active_connections == 0; }));
  EXPECT_EQ(engine.traffic(1).bytes_in, kRequests * 7);
  EXPECT_EQ(engine.traffic(1).bytes_out, kRequests * 14);
  // What the log line of the first splice had opened stays in the pool.
  EXPECT_TRUE(eventually([&] { return count_descriptors() <= before + 4; }));
  EXPECT_EQ(count_descriptors("socket:") <= before, true);
  EXPECT_EQ(log.count("rule.conn_error"), 0U);
}

TEST(ForwarderLoad, a_bulk_connection_does_not_starve_its_neighbour) {
  Server server;
  Acceptor sink;
  Engine engine({.workers = 1});
  const auto bulk_port = engine.serve(1, sink.port());
  const auto port = engine.serve(2, server.port());
  Socket down = Socket::connect_v4(bulk_port);
  Socket up = sink.accept();
  std::atomic<bool> stop = false;
  std::jthread sender([&] {
    const std::string block = noise(1 << 20, 1);
    while (!stop && down.send(block)) {
    }
    down.close();
  });
  std::jthread reader([&] { up.receive_all(); });
  Socket client = Socket::connect_v4(port);
  for (int i = 0; i < 100; ++i) {
    client.send("ping");
    ASSERT_EQ(client.receive(4), "ping");
  }
  stop = true;
}

TEST(ForwarderLoad, rules_come_and_go_under_traffic) {
  Server server;
  Engine engine;
  const auto port = engine.serve(1, server.port());
  std::atomic<bool> stop = false;
  std::atomic<int> broken = 0;
  std::jthread traffic([&] {
    Socket client = Socket::connect_v4(port);
    while (!stop) {
      client.send("steady");
      if (client.receive(6) != "steady") ++broken;
    }
  });
  for (std::uint64_t id = 2; id < 60; ++id) {
    engine.serve(id, server.port());
    if (id % 2 == 0) engine.remove(id, std::chrono::seconds(1)).get();
    EXPECT_EQ(engine.forwarder().counters().size(), 1 + (id - 1) / 2);
  }
  stop = true;
  traffic.join();
  EXPECT_EQ(broken, 0);
}

}  // namespace
}  // namespace portunus::test
