#include "dataplane/reactor/deadlines.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>

namespace portunus::dataplane::reactor {
namespace {

using std::chrono::milliseconds;

class Limit final : public Deadline {
 public:
  explicit Limit(std::function<void()> f) : f_(std::move(f)) {}
  void on_deadline() override { f_(); }

 private:
  std::function<void()> f_;
};

class DeadlinesTest : public testing::Test {
 protected:
  boost::asio::io_context context_{1};
  Poller poller_{context_};
  Deadlines deadlines_{context_, poller_, milliseconds(40)};
};

TEST_F(DeadlinesTest, each_expires_one_budget_after_it_was_armed) {
  const auto begin = std::chrono::steady_clock::now();
  std::string order;
  Limit a([&] { order += 'a'; });
  Limit b([&] { order += 'b'; });
  deadlines_.arm(a);
  context_.run_one_for(milliseconds(15));
  deadlines_.arm(b);
  context_.run();
  EXPECT_EQ(order, "ab");
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(55));
}

TEST_F(DeadlinesTest, a_disarmed_or_destroyed_one_is_not_called) {
  std::string order;
  Limit disarmed([&] { order += 'x'; });
  Limit kept([&] { order += 'k'; });
  {
    Limit destroyed([&] { order += 'd'; });
    deadlines_.arm(destroyed);
    deadlines_.arm(disarmed);
    deadlines_.arm(kept);
  }
  disarmed.disarm();
  disarmed.disarm();
  context_.run();
  EXPECT_EQ(order, "k");
}

TEST_F(DeadlinesTest, one_may_be_armed_again_from_its_own_call) {
  int calls = 0;
  Limit* self = nullptr;
  Limit limit([&] {
    if (++calls < 2) deadlines_.arm(*self);
  });
  self = &limit;
  deadlines_.arm(limit);
  context_.run();
  EXPECT_EQ(calls, 2);
}

TEST_F(DeadlinesTest, one_that_is_armed_again_does_not_delay_those_that_follow) {
  Deadlines deadlines(context_, poller_, milliseconds(1000));
  const auto begin = std::chrono::steady_clock::now();
  bool expired = false;
  Limit* self = nullptr;
  Limit again([&] {
    if (!std::exchange(expired, true)) deadlines.arm(*self);
  });
  self = &again;
  Limit second([&] {
    EXPECT_LT(std::chrono::steady_clock::now() - begin, milliseconds(1900));
    deadlines.stop();
  });
  Limit third([] {});
  deadlines.arm(again);
  context_.run_one_for(milliseconds(500));
  deadlines.arm(second);
  while (!expired) context_.run_one();
  context_.poll();
  deadlines.arm(third);
  context_.run();
}

TEST_F(DeadlinesTest, stop_lets_the_context_run_out_of_work) {
  Limit limit([] { ADD_FAILURE(); });
  deadlines_.arm(limit);
  deadlines_.stop();
  const auto begin = std::chrono::steady_clock::now();
  context_.run();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, milliseconds(30));
}

}  // namespace
}  // namespace portunus::dataplane::reactor
