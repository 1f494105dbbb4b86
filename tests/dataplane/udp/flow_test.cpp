#include "dataplane/udp/flow.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <set>
#include <string>
#include <vector>

#include "tests/dataplane/support/datagram_sockets.hpp"
#include "tests/dataplane/udp/rig.hpp"
#include "tests/support/log_capture.hpp"

namespace portunus::test {
namespace {

using std::chrono::milliseconds;

UdpSocket client_of(const Rig::Rule& rule, const std::string& address = "127.0.0.1") {
  UdpSocket client(address);
  client.connect(rule->spec().listen_port);
  return client;
}

TEST(UdpFlow, forwards_there_and_back_and_counts_what_was_delivered) {
  const LogCapture log;
  UdpServer target([](const std::string& request) { return request + "-answer"; });
  Rig rig;
  const auto rule = rig.serve(Rig::rule(target.port()));
  UdpSocket client = client_of(rule);
  ASSERT_TRUE(client.send("question"));
  EXPECT_EQ(client.receive(), "question-answer");
  ASSERT_TRUE(client.send("another"));
  EXPECT_EQ(client.receive(), "another-answer");
  EXPECT_TRUE(eventually([&] { return Rig::traffic(rule).datagrams_out == 2; }));
  const auto traffic = Rig::traffic(rule);
  EXPECT_EQ(traffic.datagrams_in, 2U);
  EXPECT_EQ(traffic.bytes_in, 15U);
  EXPECT_EQ(traffic.bytes_out, 29U);
  EXPECT_EQ(traffic.active_flows, 1U);
  EXPECT_EQ(log.count("rule.udp_flow_opened",
                      {"\"listen_port\":" + std::to_string(rule->spec().listen_port),
                       "\"source\":\"127.0.0.1:" + std::to_string(client.port()) + "\"",
                       "\"target\":\"127.0.0.1:" + std::to_string(target.port()) + "\""}),
            1U);
}

TEST(UdpFlow, UDP_2_a_source_has_one_flow_per_port_of_a_range) {
  const std::uint16_t targets = free_udp_port(2);
  UdpSocket target_a("127.0.0.1", targets);
  UdpSocket target_b("127.0.0.1", static_cast<std::uint16_t>(targets + 1));
  Rig rig;
  auto spec = Rig::rule(targets);
  spec.listen_port = free_udp_port(2);
  spec.ports = 2;
  const auto rule = rig.serve(spec);
  UdpSocket first;
  UdpSocket second;
  std::set<std::uint16_t> upstream_ports;
  for (const int round : {1, 2}) {
    for (UdpSocket* source : {&first, &second}) {
      for (const std::uint16_t offset : {std::uint16_t{0}, std::uint16_t{1}}) {
        source->send_to_port("x", static_cast<std::uint16_t>(spec.listen_port + offset));
        auto& target = offset == 0 ? target_a : target_b;
        const auto seen = target.receive_from();
        ASSERT_TRUE(seen) << round;
        upstream_ports.insert(seen->from_port);
        target.send_to("y", seen->from);
        const auto reply = source->receive_from();
        ASSERT_TRUE(reply);
        EXPECT_EQ(reply->from_port, spec.listen_port + offset);
      }
    }
  }
  EXPECT_EQ(upstream_ports.size(), 4U);
  EXPECT_TRUE(eventually([&] { return Rig::traffic(rule).datagrams_out == 8; }));
  const auto traffic = Rig::traffic(rule);
  EXPECT_EQ(traffic.active_flows, 4U);
  ASSERT_EQ(traffic.ports.size(), 2U);
  for (const auto& port : traffic.ports) {
    EXPECT_EQ(port.datagrams_in, 4U);
    EXPECT_EQ(port.datagrams_out, 4U);
    EXPECT_EQ(port.bytes_in, 4U);
  }
}

TEST(UdpFlow, UDP_3_only_the_target_reaches_the_source) {
  UdpSocket target;
  UdpSocket stranger;
  Rig rig;
  const auto rule = rig.serve(Rig::rule(target.port()));
  UdpSocket client = client_of(rule);
  ASSERT_TRUE(client.send("hello"));
  const auto seen = target.receive_from();
  ASSERT_TRUE(seen);
  EXPECT_NE(seen->from_port, client.port());
  stranger.send_to_port("forged", seen->from_port);
  EXPECT_TRUE(client.silent());
  target.send_to("genuine", seen->from);
  EXPECT_EQ(client.receive(), "genuine");
  EXPECT_TRUE(eventually([&] { return Rig::traffic(rule).datagrams_out == 1; }));
}

TEST(UdpFlow, UDP_3_reaches_an_ipv6_target) {
  UdpServer target({}, "::1");
  Rig rig;
  const auto rule = rig.serve(Rig::rule(target.port(), "[::1]"));
  UdpSocket client = client_of(rule);
  ASSERT_TRUE(client.send("six"));
  EXPECT_EQ(client.receive(), "six");
}

TEST(UdpFlow, answers_from_the_address_that_the_source_used) {
  UdpServer target;
  Rig rig;
  const auto rule = rig.serve(Rig::rule(target.port()));
  for (const char* address : {"127.0.0.1", "127.0.0.2", "127.1.2.3"}) {
    UdpSocket client("127.0.0.9");
    client.connect(rule->spec().listen_port, address);
    ASSERT_TRUE(client.send(address));
    EXPECT_EQ(client.receive(), address);
  }
}

TEST(UdpFlow, UDP_5_active_flows_counts_all_workers_and_ends_at_zero) {
  UdpServer target;
  Rig rig({.workers = 4});
  const auto rule = rig.serve(Rig::rule(target.port()));
  std::vector<UdpSocket> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(client_of(rule));
    ASSERT_TRUE(clients.back().send("x"));
    ASSERT_TRUE(clients.back().receive());
  }
  EXPECT_EQ(Rig::traffic(rule).active_flows, 20U);
  EXPECT_EQ(rule->flows(), 20U);
  rig.remove(rule);
  EXPECT_EQ(Rig::traffic(rule).active_flows, 0U);
  EXPECT_EQ(rule->flows(), 0U);
}

TEST(UdpFlow, UDP_9_receives_into_memory_that_exists_from_the_first_traffic_on) {
  UdpServer target;
  Rig rig({.workers = 1});
  const auto rule = rig.serve(Rig::rule(target.port()));
  EXPECT_FALSE(rig.on_worker(0, [&] { return rig.worker(0).arena.allocated(); }));
  UdpSocket client = client_of(rule);
  ASSERT_TRUE(client.send("x"));
  ASSERT_TRUE(client.receive());
  EXPECT_TRUE(rig.on_worker(0, [&] { return rig.worker(0).arena.allocated(); }));
}

/// With what the kernel offers, and without.
class UdpOffload : public testing::TestWithParam<bool> {
 protected:
  Rig rig_{{.workers = 2, .offload = GetParam()}};
};
INSTANTIATE_TEST_SUITE_P(Offload, UdpOffload, testing::Bool());

TEST_P(UdpOffload, UDP_9_empty_datagrams_count_as_one_of_no_bytes) {
  UdpServer target;
  const auto rule = rig_.serve(Rig::rule(target.port()));
  UdpSocket client = client_of(rule);
  for (const char* text : {"", "", "x", ""}) {
    ASSERT_TRUE(client.send(text));
    EXPECT_EQ(client.receive(), text);
  }
  EXPECT_TRUE(eventually([&] { return Rig::traffic(rule).datagrams_out == 4; }));
  EXPECT_EQ(Rig::traffic(rule).datagrams_in, 4U);
  EXPECT_EQ(Rig::traffic(rule).bytes_in, 1U);
  EXPECT_EQ(Rig::traffic(rule).bytes_out, 1U);
}

TEST_P(UdpOffload, UDP_9_the_largest_datagrams_pass_whole_both_ways) {
  UdpServer target;
  const auto rule = rig_.serve(Rig::rule(target.port()));
  UdpSocket client = client_of(rule);
  for (const std::size_t size : {65'507U, 65'506U, 40'000U, 1'473U}) {
    const std::string bytes = noise(size, size);
    ASSERT_TRUE(client.send(bytes));
    EXPECT_TRUE(client.receive() == bytes) << size;
  }
  EXPECT_TRUE(eventually([&] { return Rig::traffic(rule).datagrams_out == 4; }));
  EXPECT_EQ(Rig::traffic(rule).bytes_in, Rig::traffic(rule).bytes_out);
}

TEST_P(UdpOffload, UDP_8_order_within_a_flow_is_kept_for_any_mix_of_sizes) {
  UdpSocket target;
  const auto rule = rig_.serve(Rig::rule(target.port()));
  UdpSocket client = client_of(rule);
  ASSERT_TRUE(client.send("first"));
  const auto first = target.receive_from();
  ASSERT_TRUE(first);
  std::uint64_t total = 5;
  for (std::size_t burst = 0; burst < 20; ++burst) {
    std::vector<std::string> sent;
    for (std::size_t i = 0; i < 100; ++i) {
      // Runs of one size, then a shorter or a longer one, then an empty one.
      const std::size_t size = i % 7 == 6 ? 0 : 100 + (i / 9) * 40 + (i % 9 == 8 ? burst : 0);
      sent.push_back(noise(size, burst * 1000 + i));
      ASSERT_TRUE(client.send(sent.back()));
      total += size;
    }
    for (const std::string& expected : sent) {
      const auto seen = target.receive();
      ASSERT_TRUE(seen && *seen == expected);
    }
    for (const std::string& reply : sent) ASSERT_TRUE(target.send_to(reply, first->from));
    for (const std::string& expected : sent) {
      const auto seen = client.receive();
      ASSERT_TRUE(seen && *seen == expected);
    }
  }
  EXPECT_TRUE(eventually([&] { return Rig::traffic(rule).datagrams_out == 2000; }));
  EXPECT_EQ(Rig::traffic(rule).datagrams_in, 2001U);
  EXPECT_EQ(Rig::traffic(rule).bytes_in, total);
  EXPECT_EQ(Rig::traffic(rule).bytes_out, total - 5);
}

TEST_P(UdpOffload, UDP_8_what_a_source_sends_joined_arrives_and_counts_as_datagrams) {
  UdpSocket target;
  const auto rule = rig_.serve(Rig::rule(target.port()));
  UdpSocket client = client_of(rule);
  ASSERT_TRUE(client.send("first"));
  ASSERT_EQ(target.receive(), "first");
  // One call that the kernel splits into datagrams of 1000 bytes and a last one of 500.
  const int segment = 1000;
  ASSERT_EQ(::setsockopt(client.fd(), IPPROTO_UDP, 103 /* UDP_SEGMENT */, &segment, sizeof segment),
            0);
  const std::string bytes = noise(60'500, 3);
  ASSERT_TRUE(client.send(bytes));
  std::string seen;
  for (int i = 0; i < 61; ++i) {
    const auto one = target.receive();
    ASSERT_TRUE(one);
    EXPECT_EQ(one->size(), i < 60 ? 1000U : 500U);
    seen += *one;
  }
  EXPECT_TRUE(seen == bytes);
  EXPECT_TRUE(eventually([&] { return Rig::traffic(rule).datagrams_in == 62; }));
  EXPECT_EQ(Rig::traffic(rule).bytes_in, 60'505U);
}

/// Holds the only worker until released.
class Held {
 public:
  explicit Held(Rig& rig) : released_(release_.get_future().share()) {
    std::promise<void> holding;
    auto reached = holding.get_future();
    thread_ = std::jthread([&rig, done = released_, holding = std::move(holding)]() mutable {
      rig.on_worker(0, [&] {
        holding.set_value();
        done.wait();
      });
    });
    reached.wait();
  }
  void release() { release_.set_value(); }

 private:
  std::promise<void> release_;
  std::shared_future<void> released_;
  std::jthread thread_;
};

TEST(UdpFlow, UDP_8_a_busy_port_leaves_others_their_turn) {
  UdpSocket target;
  Rig rig({.workers = 1, .offload = false});
  const auto busy = rig.serve(Rig::rule(target.port()));
  const auto quiet = rig.serve(Rig::rule(target.port()));
  UdpSocket loud = client_of(busy);
  UdpSocket shy = client_of(quiet);
  for (UdpSocket* client : {&loud, &shy}) {
    ASSERT_TRUE(client->send("open"));
    ASSERT_EQ(target.receive(), "open");
  }
  Held held(rig);
  for (int i = 0; i < 320; ++i) ASSERT_TRUE(loud.send("loud"));
  ASSERT_TRUE(shy.send("shy"));
  held.release();
  // At most one batch of the busy port is in front of it.
  int before = 0;
  while (true) {
    const auto seen = target.receive();
    ASSERT_TRUE(seen);
    if (*seen == "shy") break;
    ++before;
  }
  EXPECT_LE(before, 32);
}

TEST(UdpFlow, UDP_14_a_flow_with_many_replies_leaves_others_their_turn) {
  UdpSocket target;
  Rig rig({.workers = 1, .offload = false});
  const auto rule = rig.serve(Rig::rule(target.port()));
  // Both clients share one socket to receive on, so that the order of the replies shows.
  std::vector<UdpSocket::Received> flows;
  std::vector<UdpSocket> clients;
  for (int i = 0; i < 2; ++i) {
    clients.push_back(client_of(rule));
    ASSERT_TRUE(clients.back().send("open"));
    flows.push_back(target.receive_from().value());
  }
  {
    Held held(rig);
    for (int i = 0; i < 128; ++i) ASSERT_TRUE(target.send_to("loud", flows[0].from));
    ASSERT_TRUE(target.send_to("shy", flows[1].from));
    held.release();
  }
  EXPECT_EQ(clients[1].receive(), "shy");
  for (int i = 0; i < 128; ++i) EXPECT_EQ(clients[0].receive(), "loud");
  EXPECT_TRUE(eventually([&] { return Rig::traffic(rule).datagrams_out == 129; }));
}

TEST(UdpFlow, UDP_8_a_source_that_begins_with_several_datagrams_loses_none) {
  UdpSocket target;
  Rig rig({.workers = 1});
  const auto rule = rig.serve(Rig::rule(target.port()));
  UdpSocket client = client_of(rule);
  {
    Held held(rig);
    for (const char* text : {"A?", "AAAA?", "A? again"}) ASSERT_TRUE(client.send(text));
    held.release();
  }
  EXPECT_EQ(target.receive(), "A?");
  EXPECT_EQ(target.receive(), "AAAA?");
  EXPECT_EQ(target.receive(), "A? again");
  EXPECT_EQ(Rig::local(rule).flows_pending_drops, 0U);
}

TEST(UdpFlow, UDP_16_removal_ends_flows_at_once_and_frees_the_port) {
  const LogCapture log;
  UdpServer target;
  Rig rig;
  const std::size_t before = count_descriptors("socket:");
  const auto spec = Rig::rule(target.port());
  auto rule = rig.serve(spec);
  std::vector<UdpSocket> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(client_of(rule));
    ASSERT_TRUE(clients.back().send("x"));
    ASSERT_TRUE(clients.back().receive());
  }
  clients.clear();
  rig.remove(rule);
  EXPECT_EQ(count_descriptors("socket:"), before);
  EXPECT_EQ(log.count("rule.udp_listener_drained",
                      {"\"listen_port\":" + std::to_string(spec.listen_port)}),
            1U);
  rule = rig.serve(spec);
  UdpSocket client = client_of(rule);
  ASSERT_TRUE(client.send("again"));
  EXPECT_EQ(client.receive(), "again");
}

TEST(UdpFlow, UDP_16_memory_to_receive_into_does_not_grow_with_flows) {
  UdpServer target;
  Rig rig({.workers = 1});
  const auto rule = rig.serve(Rig::rule(target.port()));
  const auto slots = [&] { return rig.on_worker(0, [&] { return rig.worker(0).arena.slot(0); }); };
  UdpSocket first = client_of(rule);
  ASSERT_TRUE(first.send("x"));
  ASSERT_TRUE(first.receive());
  const std::byte* const arena = slots();
  std::vector<UdpSocket> clients;
  for (int i = 0; i < 200; ++i) {
    clients.push_back(client_of(rule));
    ASSERT_TRUE(clients.back().send("x"));
    ASSERT_TRUE(clients.back().receive());
  }
  EXPECT_EQ(slots(), arena);
  // What does grow: a flow, well below the 2 KiB that one may cost, and its table entry.
  EXPECT_LE(sizeof(dataplane::udp::Flow), 256U);
  const auto blocks = rig.on_worker(0, [&] { return rig.worker(0).flows.blocks(); });
  EXPECT_EQ(blocks,
            (201 + dataplane::udp::FlowPool::kBlock - 1) / dataplane::udp::FlowPool::kBlock);
}

}  // namespace
}  // namespace portunus::test
