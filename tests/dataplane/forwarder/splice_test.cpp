#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>

#include <cstdlib>
#include <thread>
#include <vector>

#include "tests/dataplane/support/denied_calls.hpp"
#include "tests/dataplane/support/engine.hpp"
#include "tests/dataplane/support/sockets.hpp"
#include "tests/support/log_capture.hpp"

namespace portunus::test {
namespace {

/// Sends bulk through the rule, both ways one after the other.
void expect_bulk(std::uint16_t port, Acceptor& target, std::size_t size = 6'000'000) {
  Socket down = Socket::connect_v4(port);
  Socket up = target.accept();
  const std::string bytes = noise(size, 42);
  {
    std::jthread sender([&] { down.send(bytes); });
    EXPECT_TRUE(up.receive(size) == bytes);
  }
  std::jthread sender([&] { up.send(bytes); });
  EXPECT_TRUE(down.receive(size) == bytes);
}

TEST(ForwarderSplice, SPL_6_selected_is_logged_once_per_activation) {
  const LogCapture log;
  Server server;
  Engine engine;
  const auto port = engine.serve(5, server.port());
  EXPECT_EQ(log.count("proxy.splice_selected"), 0U);
  std::vector<std::jthread> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([port] {
      Socket client = Socket::connect_v4(port);
      client.send("one byte is enough");
      client.receive(18);
    });
  }
  clients.clear();
  EXPECT_EQ(log.count("proxy.splice_selected",
                      {"\"rule_id\":\"5\"", "\"pipe_capacity_bytes\":1048576",
                       "\"has_sni_replay_done\":false", "\"has_proxy_out\":false"}),
            1U);
  engine.remove(5, std::chrono::milliseconds(0)).get();
  ASSERT_EQ(engine.activate(Engine::rule(5, port, server.port())), "");
  Socket client = Socket::connect_v4(port);
  client.send("x");
  EXPECT_EQ(client.receive(1), "x");
  EXPECT_EQ(log.count("proxy.splice_selected"), 2U);
}

TEST(ForwarderSplice, SPL_8_disabled_means_no_pipe_and_no_word_of_it) {
  const LogCapture log;
  Acceptor target;
  const std::size_t pipes = count_descriptors("pipe:");
  Engine engine({.workers = 2, .splice = false});
  const auto port = engine.serve(1, target.port());
  expect_bulk(port, target);
  EXPECT_EQ(count_descriptors("pipe:"), pipes);
  EXPECT_EQ(log.count("proxy.splice_selected"), 0U);
}

TEST(ForwarderSplice, D11_idle_connections_hold_no_pipe) {
  Acceptor target;
  const std::size_t pipes = count_descriptors("pipe:");
  Engine engine({.workers = 1});
  const auto port = engine.serve(1, target.port());
  struct Pair {
    Socket down;
    Socket up;
  };
  std::vector<Pair> open;
  const std::string bytes = noise(1'000'000, 1);
  for (int i = 0; i < 40; ++i) {
    Socket down = Socket::connect_v4(port);
    Socket up = target.accept();
    std::jthread sender([&] { down.send(bytes); });
    ASSERT_TRUE(up.receive(bytes.size()) == bytes);
    sender.join();
    open.push_back({std::move(down), std::move(up)});
  }
  // The pool keeps what one connection after the other used: one pipe, two descriptors.
  EXPECT_TRUE(eventually([&] { return count_descriptors("pipe:") == pipes + 2; }))
      << count_descriptors("pipe:") - pipes;
  EXPECT_EQ(engine.traffic(1).active_connections, 40U);
}

TEST(ForwarderSplice, SPL_5_a_pipe_with_bytes_in_it_is_not_used_again) {
  Acceptor target;
  Engine engine({.workers = 1});
  const auto port = engine.serve(1, target.port());
  const std::string block = noise(1 << 20, 2);
  for (int i = 0; i < 5; ++i) {
    Socket down = Socket::connect_v4(port);
    Socket up = target.accept();
    while (up.send_what_fits(block) > 0) ::usleep(10'000);
    down.reset();
    EXPECT_TRUE(eventually([&] { return engine.traffic(1).active_connections == 0; }));
    expect_bulk(port, target, 3'000'000);
  }
}

class ForwarderSpliceDeathTest : public testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

[[noreturn]] void done() {
  std::_Exit(testing::Test::HasFailure() ? 1 : 0);
}

void fall_back(int error, const char* name) {
  const LogCapture log;
  deny_call(SYS_splice, error);
  Acceptor target;
  Engine engine;
  const auto port = engine.serve(1, target.port());
  expect_bulk(port, target);
  // Once for the connection, though both directions wanted to splice.
  EXPECT_EQ(log.count("proxy.splice_unsupported_fallback",
                      {"\"rule_id\":\"1\"", "\"errno_name\":\"" + std::string(name) + "\""}),
            1U);
  expect_bulk(port, target);
  EXPECT_EQ(log.count("proxy.splice_unsupported_fallback"), 2U) << "another connection";
  EXPECT_EQ(log.count("rule.conn_error"), 0U);
  done();
}

TEST_F(ForwarderSpliceDeathTest, SPL_3_a_kernel_without_splice_is_served_by_copying) {
  EXPECT_EXIT(fall_back(ENOSYS, "ENOSYS"), testing::ExitedWithCode(0), "");
  EXPECT_EXIT(fall_back(EINVAL, "EINVAL"), testing::ExitedWithCode(0), "");
  EXPECT_EXIT(fall_back(EPERM, "EPERM"), testing::ExitedWithCode(0), "");
  EXPECT_EXIT(fall_back(EOPNOTSUPP, "EOPNOTSUPP"), testing::ExitedWithCode(0), "");
}

void splice_fails() {
  const LogCapture log;
  deny_call(SYS_splice, EIO);
  Acceptor target;
  Engine engine;
  Socket down = Socket::connect_v4(engine.serve(1, target.port()));
  Socket up = target.accept();
  std::jthread sender([&] {
    while (down.send(noise(1 << 20, 1))) {
    }
  });
  up.receive_all();
  EXPECT_EQ(up.error(), ECONNRESET);
  EXPECT_TRUE(
      eventually([&] { return log.count("rule.conn_error", {"Input/output error"}) == 1; }));
  EXPECT_EQ(log.count("proxy.splice_unsupported_fallback"), 0U);
  sender.join();
  done();
}

TEST_F(ForwarderSpliceDeathTest, SPL_3_any_other_error_ends_the_connection) {
  EXPECT_EXIT(splice_fails(), testing::ExitedWithCode(0), "");
}

void no_pipes() {
  const LogCapture log;
  deny_call(SYS_pipe2, EMFILE);
  Acceptor target;
  Engine engine;
  const auto port = engine.serve(1, target.port());
  expect_bulk(port, target);
  EXPECT_EQ(log.count("rule.conn_error"), 0U);
  EXPECT_EQ(log.count("proxy.splice_selected", {"\"pipe_capacity_bytes\":65536"}), 1U);
  done();
}

TEST_F(ForwarderSpliceDeathTest, SPL_4_without_a_pipe_the_connection_goes_on_by_copying) {
  EXPECT_EXIT(no_pipes(), testing::ExitedWithCode(0), "");
}

void small_pipes() {
  const LogCapture log;
  deny_call(SYS_fcntl, EPERM, Argument{1, F_SETPIPE_SZ});
  Acceptor target;
  Engine engine({.workers = 1});
  const auto port = engine.serve(3, target.port());
  expect_bulk(port, target);
  EXPECT_GE(log.count("proxy.splice_pipe_size_failed",
                      {"\"level\":\"WARN\"", "\"rule_id\":\"3\"", "\"requested_bytes\":1048576",
                       "\"actual_default_bytes\":65536", "\"errno_name\":\"EPERM\""}),
            1U);
  EXPECT_EQ(log.count("rule.conn_error"), 0U);
  done();
}

TEST_F(ForwarderSpliceDeathTest, SPL_1_a_refused_resize_is_reported_and_no_error) {
  EXPECT_EXIT(small_pipes(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace portunus::test
