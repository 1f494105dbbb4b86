#include <gtest/gtest.h>
#include <sys/socket.h>

#include <thread>
#include <vector>

#include "tests/dataplane/support/engine.hpp"
#include "tests/dataplane/support/sockets.hpp"
#include "tests/support/log_capture.hpp"

namespace portunus::test {
namespace {

using std::chrono::milliseconds;

/// Every rule of the relay holds on both copy paths (TCP-8).
class Relay : public testing::TestWithParam<bool> {
 protected:
  struct Pair {
    Socket down;
    Socket up;
  };

  Relay() : port_(engine_.serve(1, target_.port())) {}

  Pair connect() {
    Socket down = Socket::connect_v4(port_);
    return {std::move(down), target_.accept()};
  }
  model::RuleTraffic traffic() const { return engine_.traffic(1); }
  bool idle() {
    return eventually([&] { return traffic().active_connections == 0; });
  }

  const LogCapture log_;
  Acceptor target_;
  Engine engine_{{.workers = 2, .splice = GetParam()}};
  std::uint16_t port_;
};

TEST_P(Relay, TCP_6_half_close_by_the_client_lets_the_answer_through) {
  auto [down, up] = connect();
  down.send("question");
  down.half_close();
  EXPECT_EQ(up.receive_all(), "question");
  EXPECT_EQ(up.error(), 0);
  const std::string answer = noise(3'000'000, 1);
  std::jthread sender([&] {
    up.send(answer);
    up.close();
  });
  EXPECT_TRUE(down.receive_all() == answer);
  EXPECT_EQ(down.error(), 0);
  EXPECT_TRUE(idle());
  EXPECT_EQ(log_.count("rule.conn_closed", {"\"bytes_in\":8,", "\"bytes_out\":3000000"}), 1U);
  EXPECT_EQ(log_.count("rule.conn_error"), 0U);
}

TEST_P(Relay, TCP_6_half_close_by_the_target_lets_the_upload_through) {
  auto [down, up] = connect();
  up.send("banner");
  up.half_close();
  EXPECT_EQ(down.receive_all(), "banner");
  EXPECT_EQ(down.error(), 0);
  const std::string upload = noise(3'000'000, 2);
  std::jthread sender([&] {
    down.send(upload);
    down.close();
  });
  EXPECT_TRUE(up.receive_all() == upload);
  EXPECT_EQ(up.error(), 0);
  EXPECT_TRUE(idle());
  EXPECT_EQ(log_.count("rule.conn_closed"), 1U);
}

TEST_P(Relay, TCP_6_an_end_without_a_byte_is_passed_on) {
  auto [down, up] = connect();
  down.half_close();
  EXPECT_EQ(up.receive_all(), "");
  EXPECT_EQ(up.error(), 0);
  up.close();
  EXPECT_EQ(down.receive_all(), "");
  EXPECT_EQ(down.error(), 0);
}

TEST_P(Relay, TCP_7_a_reset_of_the_client_reaches_the_target) {
  auto [down, up] = connect();
  const std::string block = noise(1 << 20, 3);
  while (down.send_what_fits(block) > 0) ::usleep(20'000);
  EXPECT_EQ(up.receive(1000).size(), 1000U);
  down.reset();
  up.receive_all();
  EXPECT_EQ(up.error(), ECONNRESET);
  EXPECT_TRUE(idle());
  EXPECT_TRUE(eventually([&] { return log_.count("rule.conn_error") == 1; }));
  EXPECT_EQ(log_.count("rule.conn_closed"), 0U);
}

TEST_P(Relay, TCP_7_a_reset_of_the_target_reaches_the_client) {
  auto [down, up] = connect();
  up.send(noise(1 << 16, 4));
  EXPECT_EQ(down.receive(1 << 16).size(), 1U << 16);
  up.reset();
  EXPECT_EQ(down.receive_all(), "");
  EXPECT_EQ(down.error(), ECONNRESET);
  EXPECT_TRUE(eventually([&] {
    return log_.count("rule.conn_error",
                      {"\"error\":\"Connection reset by peer\"", "\"peer\":\"127.0.0.1:"}) == 1;
  }));
}

TEST_P(Relay, TCP_7_a_reset_into_undelivered_bytes_discards_them) {
  auto [down, up] = connect();
  const std::string block = noise(1 << 20, 5);
  while (up.send_what_fits(block) > 0) ::usleep(20'000);
  up.reset();
  down.receive_all();
  EXPECT_EQ(down.error(), ECONNRESET);
  EXPECT_TRUE(idle());
}

TEST_P(Relay, CNT_1_counts_what_the_receiver_accepted_and_nothing_more) {
  auto [down, up] = connect();
  const std::string block = noise(1 << 20, 6);
  std::size_t sent = 0;
  // The client does not read: what was sent is stuck everywhere between.
  for (int quiet = 0; quiet < 10;) {
    const std::size_t n = up.send_what_fits(block);
    sent += n;
    quiet = n > 0 ? 0 : quiet + 1;
    ::usleep(20'000);
  }
  const auto engine_down = find_connected(down.local_port(), -1);
  const auto engine_up = find_connected(target_.port(), -1);
  ASSERT_TRUE(engine_down && engine_up);
  const std::size_t accepted = receive_queue(down.fd()) + send_queue(*engine_down);
  EXPECT_EQ(traffic().bytes_out, accepted);
  const std::size_t unread = send_queue(up.fd()) + receive_queue(*engine_up);
  EXPECT_GT(sent, accepted + unread) << "nothing is held in between, nothing is proved";
  // Neither a forced end nor what it discards books anything.
  up.reset();
  down.receive_all();
  EXPECT_TRUE(idle());
  EXPECT_EQ(traffic().bytes_out, accepted);
}

TEST_P(Relay, CNT_1_a_stalled_receiver_that_reads_on_gets_every_byte) {
  auto [down, up] = connect();
  const std::string bytes = noise(24'000'000, 7);
  std::jthread sender([&] {
    up.send(bytes);
    up.close();
  });
  ASSERT_TRUE(eventually([&] { return traffic().bytes_out > 0; }));
  std::this_thread::sleep_for(milliseconds(200));
  EXPECT_TRUE(down.receive_all() == bytes);
  EXPECT_EQ(down.error(), 0);
  EXPECT_EQ(traffic().bytes_out, bytes.size());
}

TEST_P(Relay, CNT_2_counters_rise_while_the_connection_lives) {
  auto [down, up] = connect();
  std::uint64_t before = 0;
  for (int i = 0; i < 5; ++i) {
    const std::string part = noise(400'000, 8);
    std::jthread sender([&] { down.send(part); });
    EXPECT_TRUE(up.receive(part.size()) == part);
    EXPECT_TRUE(eventually([&] { return traffic().bytes_in == before + part.size(); }));
    before = traffic().bytes_in;
  }
  EXPECT_EQ(traffic().bytes_out, 0U);
  EXPECT_EQ(traffic().active_connections, 1U);
}

TEST_P(Relay, TCP_8_both_directions_at_once_keep_their_bytes) {
  auto [down, up] = connect();
  const std::string in = noise(20'000'000, 9);
  const std::string out = noise(20'000'000, 10);
  std::jthread a([&] {
    down.send(in);
    down.half_close();
  });
  std::jthread b([&] {
    up.send(out);
    up.half_close();
  });
  std::string got;
  std::jthread c([&] { got = up.receive_all(); });
  EXPECT_TRUE(down.receive_all() == out);
  c.join();
  EXPECT_TRUE(got == in);
  EXPECT_TRUE(idle());
  EXPECT_EQ(traffic().bytes_in, in.size());
  EXPECT_EQ(traffic().bytes_out, out.size());
}

TEST_P(Relay, TCP_8_small_and_bulk_messages_alternate) {
  auto [down, up] = connect();
  const std::size_t sizes[] = {1,       64, 65'535, 65'536,    65'537, 2,
                               300'000, 3,  70'000, 2'000'000, 5,      131'072};
  std::uint64_t seed = 100;
  for (const std::size_t size : sizes) {
    const std::string message = noise(size, ++seed);
    std::jthread sender([&] { down.send(message); });
    ASSERT_TRUE(up.receive(size) == message) << size;
    sender.join();
    std::jthread answerer([&] { up.send(message); });
    ASSERT_TRUE(down.receive(size) == message) << size;
  }
}

TEST_P(Relay, urgent_data_does_not_stop_the_stream) {
  auto [down, up] = connect();
  const std::string first = noise(500'000, 11);
  const std::string second = noise(500'000, 12);
  std::jthread sender([&] {
    down.send(first);
    down.send("!", MSG_OOB);
    down.send(second);
    down.half_close();
  });
  const std::string got = up.receive_all();
  EXPECT_EQ(got.size(), first.size() + second.size());
  EXPECT_TRUE(got == first + second);
}

INSTANTIATE_TEST_SUITE_P(Forwarder, Relay, testing::Bool(),
                         [](const auto& param) { return param.param ? "splice" : "copy"; });

}  // namespace
}  // namespace portunus::test
