#include "dataplane/tcp/one_way.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cstdlib>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "dataplane/tcp/tcp_rule.hpp"
#include "tests/dataplane/support/denied_calls.hpp"
#include "tests/dataplane/support/sockets.hpp"
#include "tests/support/log_capture.hpp"

namespace portunus::dataplane::tcp {
namespace {

using Step = OneWay::Step;
using test::Acceptor;
using test::eventually;
using test::noise;
using test::Socket;

/// Source and destination of one direction: the test holds the far ends.
class OneWayTest : public testing::TestWithParam<bool> {
 protected:
  OneWayTest() {
    Acceptor acceptor;
    source_ = Socket::connect_v4(acceptor.port());
    in_ = acceptor.accept();
    sink_ = Socket::connect_v4(acceptor.port());
    out_ = acceptor.accept();
    for (const int fd : {in_.fd(), out_.fd()}) ::fcntl(fd, F_SETFL, O_NONBLOCK);
    from_ = Leg{.fd = in_.fd(), .writable = true};
    to_ = Leg{.fd = out_.fd(), .writable = true};
  }

  static model::RuleSpec spec() {
    model::RuleSpec out;
    out.id = RuleId{1};
    out.listen_port = 1;
    out.targets = {{.host = "127.0.0.1", .port = 1}};
    return out;
  }
  /// Waits until the kernel has at least `size` bytes to read, then runs as after an event.
  Step arrive(std::size_t size, bool hung_up = false) {
    EXPECT_TRUE(eventually([&] { return test::receive_queue(in_.fd()) >= size; }));
    from_.readable = true;
    from_.hung_up = hung_up;
    return run();
  }
  Step run() {
    Step step;
    do {
      step = way_.run(tools_, rule_, from_, to_);
    } while (step == Step::more);
    return step;
  }
  bool holds_nothing() const { return !way_.blocked() && pipes_in_use() == 0; }
  std::size_t pipes_in_use() const { return budget_.used() / PipePool::kWanted - pipes_.idle(); }

  PipeBudget budget_{std::numeric_limits<std::size_t>::max()};
  PipePool pipes_{budget_};
  BufferPool buffers_;
  std::vector<std::byte> scratch_{kBufferSize};
  RelayTools tools_{scratch_, pipes_, buffers_};
  TcpRule rule_{std::make_shared<rules::LiveRule>(spec(), nullptr, 1), true};
  SpliceUse use_;
  SpliceUse* const splice_ = GetParam() ? &use_ : nullptr;
  OneWay way_{splice_};
  Socket source_;
  Socket in_;
  Socket out_;
  Socket sink_;
  Leg from_;
  Leg to_;
};

TEST_P(OneWayTest, a_short_message_costs_one_receive_and_one_send_and_holds_nothing) {
  source_.send("hello");
  EXPECT_EQ(arrive(5), Step::waiting);
  EXPECT_EQ(way_.take_delivered(), 5U);
  EXPECT_EQ(way_.take_delivered(), 0U);
  // Known to be drained without having been told so.
  EXPECT_FALSE(from_.readable);
  EXPECT_TRUE(holds_nothing());
  EXPECT_EQ(sink_.receive(5), "hello");
}

TEST_P(OneWayTest, an_end_known_from_the_event_needs_no_further_receive) {
  source_.send("last");
  source_.half_close();
  EXPECT_EQ(arrive(4, true), Step::ended);
  EXPECT_TRUE(way_.ended());
  EXPECT_EQ(way_.take_delivered(), 4U);
}

TEST_P(OneWayTest, an_end_without_bytes_is_found_by_receiving) {
  source_.half_close();
  from_.readable = true;
  EXPECT_TRUE(eventually([&] {
    from_.readable = true;
    return run() == Step::ended;
  }));
}

TEST_P(OneWayTest, what_the_receiver_does_not_take_is_held_and_delivered_later) {
  std::string sent;
  std::string got;
  const std::string block = noise(1 << 20, 1);
  // Until the receiver's side is full.
  for (int i = 0; i < 200 && !way_.blocked(); ++i) {
    const std::size_t n = source_.send_what_fits(block);
    sent += block.substr(0, n);
    if (n > 0) {
      EXPECT_EQ(arrive(1), Step::waiting);
    } else {
      ::usleep(5000);
      from_.readable = true;
      run();
    }
  }
  ASSERT_TRUE(way_.blocked());
  EXPECT_FALSE(to_.writable);
  std::uint64_t delivered = way_.take_delivered();
  EXPECT_LT(delivered, sent.size());
  source_.half_close();
  while (!way_.ended()) {
    got += sink_.receive(std::min<std::size_t>(sent.size() - got.size(), 1 << 16));
    to_.writable = from_.readable = true;
    const Step step = run();
    ASSERT_NE(step, Step::failed);
    delivered += way_.take_delivered();
  }
  EXPECT_EQ(delivered, sent.size());
  EXPECT_TRUE(holds_nothing());
  got += sink_.receive(sent.size() - got.size());
  EXPECT_TRUE(got == sent);
}

TEST_P(OneWayTest, SPL_2_nothing_is_received_while_bytes_are_held) {
  const std::string block = noise(1 << 16, 6);
  ASSERT_TRUE(eventually([&] {
    source_.send_what_fits(block);
    from_.readable = true;
    run();
    return way_.blocked();
  }));
  ASSERT_GT(source_.send_what_fits("tail"), 0U);
  // All that was sent has arrived and been acknowledged.
  ASSERT_TRUE(eventually([&] {
    int unacknowledged = 0;
    return ::ioctl(source_.fd(), SIOCOUTQ, &unacknowledged) == 0 && unacknowledged == 0;
  }));
  const std::size_t unread = test::receive_queue(in_.fd());
  ASSERT_GT(unread, 0U);
  from_.readable = true;
  EXPECT_EQ(run(), Step::waiting);
  EXPECT_TRUE(way_.blocked());
  EXPECT_EQ(test::receive_queue(in_.fd()), unread);
}

TEST_P(OneWayTest, release_with_bytes_in_flight_keeps_no_pipe) {
  const std::string block = noise(1 << 20, 2);
  for (int i = 0; i < 200 && !way_.blocked(); ++i) {
    if (source_.send_what_fits(block) == 0) ::usleep(5000);
    from_.readable = true;
    run();
  }
  ASSERT_TRUE(way_.blocked());
  const std::size_t idle = pipes_.idle();
  way_.release(tools_);
  EXPECT_EQ(pipes_.idle(), idle);
  EXPECT_EQ(pipes_in_use(), 0U);
}

TEST_P(OneWayTest, a_reset_source_fails_with_its_error) {
  source_.send("x");
  EXPECT_EQ(arrive(1), Step::waiting);
  source_.reset();
  EXPECT_TRUE(eventually([&] {
    from_.readable = true;
    return run() == Step::failed;
  }));
  EXPECT_EQ(way_.error(), ECONNRESET);
}

TEST_P(OneWayTest, a_reset_receiver_fails_and_counts_nothing) {
  sink_.reset();
  source_.send("x");
  EXPECT_TRUE(eventually([&] { return test::receive_queue(in_.fd()) == 1; }));
  ::usleep(20'000);
  from_.readable = true;
  EXPECT_EQ(run(), Step::failed);
  EXPECT_EQ(way_.take_delivered(), 0U);
}

TEST_P(OneWayTest, bulk_takes_a_pipe_and_quiet_gives_it_back) {
  const std::string block = noise(150'000, 3);
  std::jthread sender([&] { source_.send(block); });
  EXPECT_EQ(arrive(kBufferSize), Step::waiting);
  std::uint64_t delivered = way_.take_delivered();
  EXPECT_TRUE(eventually([&] {
    from_.readable = true;
    EXPECT_EQ(run(), Step::waiting);
    delivered += way_.take_delivered();
    return delivered == block.size();
  }));
  EXPECT_TRUE(holds_nothing());
  EXPECT_EQ(pipes_.idle(), GetParam() ? 1U : 0U);
  EXPECT_TRUE(sink_.receive(block.size()) == block);
}

TEST_P(OneWayTest, QUO_3_a_short_grant_is_delivered_and_ends_the_direction) {
  quota::QuotaGate quota;
  way_ = OneWay(splice_, &quota);
  const std::string block = noise(150'000, 4);
  std::jthread sender([&] { source_.send(block); });
  quota.set(100'000, false);
  EXPECT_TRUE(eventually([&] {
    from_.readable = true;
    return run() == Step::cut_off;
  }));
  EXPECT_EQ(way_.take_delivered(), 100'000U);
  EXPECT_EQ(quota.remaining(), 0U);
  EXPECT_TRUE(holds_nothing());
  EXPECT_TRUE(sink_.receive(100'000) == block.substr(0, 100'000));
  // What was not granted may still be in the pipe (SPL-5).
  EXPECT_EQ(pipes_.idle(), 0U);
  EXPECT_EQ(run(), Step::cut_off) << "it received more";
}

TEST_P(OneWayTest, QUO_3_release_refunds_what_was_not_delivered) {
  quota::QuotaGate quota;
  way_ = OneWay(splice_, &quota);
  constexpr std::uint64_t kBudget = 1'000'000'000;
  quota.set(kBudget, false);
  const std::string block = noise(1 << 20, 5);
  for (int i = 0; i < 200 && !way_.blocked(); ++i) {
    if (source_.send_what_fits(block) == 0) ::usleep(5000);
    from_.readable = true;
    run();
  }
  ASSERT_TRUE(way_.blocked());
  const std::uint64_t delivered = way_.take_delivered();
  EXPECT_LT(quota.remaining(), kBudget - delivered);
  way_.release(tools_);
  EXPECT_EQ(quota.remaining(), kBudget - delivered);
}

TEST_P(OneWayTest, QUO_3_a_failed_send_is_refunded) {
  quota::QuotaGate quota;
  way_ = OneWay(splice_, &quota);
  quota.set(1000, false);
  sink_.reset();
  ::usleep(20'000);
  source_.send("12345");
  EXPECT_EQ(arrive(5), Step::failed);
  way_.release(tools_);
  EXPECT_EQ(quota.remaining(), 1000U);
}

const auto kPathName = [](const auto& param) { return param.param ? "splice" : "copy"; };
INSTANTIATE_TEST_SUITE_P(Tcp, OneWayTest, testing::Bool(), kPathName);

/// Both directions of one connection, from which the kernel takes splice away.
class OneWayDeathTest : public OneWayTest {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }

  /// As after an event, with enough to read to make it splice.
  Step run_back() {
    EXPECT_TRUE(eventually([&] { return test::receive_queue(out_.fd()) >= kBufferSize; }));
    back_from_ = Leg{.fd = out_.fd(), .readable = true, .writable = true};
    Step step;
    do {
      step = back_.run(tools_, rule_, back_from_, back_to_);
    } while (step == Step::more);
    return step;
  }
  [[noreturn]] static void done() { std::_Exit(testing::Test::HasFailure() ? 1 : 0); }

  [[noreturn]] void refuse_before_a_byte() {
    const test::LogCapture log;
    test::deny_call(SYS_splice, EINVAL);
    const std::string block = noise(150'000, 7);
    std::jthread there([&] { source_.send(block); });
    std::jthread back([&] { sink_.send(block); });
    EXPECT_EQ(arrive(kBufferSize), Step::waiting);
    EXPECT_EQ(run_back(), Step::waiting);
    EXPECT_TRUE(use_.unsupported);
    EXPECT_FALSE(use_.begun);
    EXPECT_EQ(log.count("proxy.splice_unsupported_fallback"), 1U);
    EXPECT_EQ(log.count("proxy.splice_unsupported_fallback", {"\"errno_name\":\"EINVAL\""}), 1U);
    done();
  }
  [[noreturn]] void refuse_behind_a_byte() {
    const test::LogCapture log;
    const std::string block = noise(150'000, 7);
    std::jthread there([&] { source_.send(block); });
    EXPECT_EQ(arrive(kBufferSize), Step::waiting);
    EXPECT_TRUE(eventually([&] {
      from_.readable = true;
      run();
      return use_.begun;
    }));
    test::deny_call(SYS_splice, EINVAL);
    std::jthread back([&] { sink_.send(block); });
    EXPECT_EQ(run_back(), Step::failed);
    EXPECT_EQ(back_.error(), EINVAL);
    EXPECT_EQ(log.count("proxy.splice_unsupported_fallback"), 0U);
    done();
  }

  OneWay back_{&use_};
  Leg back_from_;
  Leg back_to_{.fd = in_.fd(), .writable = true};
};

TEST_P(OneWayDeathTest, SPL_3_both_directions_fall_back_before_a_byte_is_in_either_pipe) {
  EXPECT_EXIT(refuse_before_a_byte(), testing::ExitedWithCode(0), "");
}

TEST_P(OneWayDeathTest, SPL_3_a_byte_in_the_pipe_of_one_direction_makes_an_error_of_both_terminal) {
  EXPECT_EXIT(refuse_behind_a_byte(), testing::ExitedWithCode(0), "");
}

INSTANTIATE_TEST_SUITE_P(Tcp, OneWayDeathTest, testing::Values(true), kPathName);

}  // namespace
}  // namespace portunus::dataplane::tcp
