#include "dataplane/reactor/alarms.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace portunus::dataplane::reactor {
namespace {

using std::chrono::milliseconds;

class Bell final : public Alarm {
 public:
  explicit Bell(std::function<void()> f) : f_(std::move(f)) {}
  void on_alarm() override { f_(); }

 private:
  std::function<void()> f_;
};

class AlarmsTest : public testing::Test {
 protected:
  static SteadyTime in(milliseconds time) { return std::chrono::steady_clock::now() + time; }

  boost::asio::io_context context_{1};
  Poller poller_{context_};
  Alarms alarms_{context_, poller_};
  std::string order_;
};

TEST_F(AlarmsTest, ring_in_the_order_of_their_instants) {
  Bell a([&] { order_ += 'a'; });
  Bell b([&] { order_ += 'b'; });
  Bell c([&] { order_ += 'c'; });
  const SteadyTime first = in(milliseconds(10));
  alarms_.set(c, first + milliseconds(20));
  alarms_.set(a, first);
  alarms_.set(b, first + milliseconds(10));
  context_.run();
  EXPECT_EQ(order_, "abc");
  EXPECT_GE(std::chrono::steady_clock::now(), first + milliseconds(20));
}

TEST_F(AlarmsTest, set_again_ring_once_at_the_later_instant) {
  Bell a([&] { order_ += 'a'; });
  Bell b([&] { order_ += 'b'; });
  const SteadyTime now = in(milliseconds(0));
  alarms_.set(a, now + milliseconds(5));
  alarms_.set(b, now + milliseconds(10));
  alarms_.set(a, now + milliseconds(20));
  context_.run();
  EXPECT_EQ(order_, "ba");
}

TEST_F(AlarmsTest, a_cancelled_or_destroyed_one_does_not_ring) {
  Bell cancelled([&] { order_ += 'x'; });
  Bell kept([&] { order_ += 'k'; });
  {
    Bell destroyed([&] { order_ += 'd'; });
    alarms_.set(destroyed, in(milliseconds(1)));
    alarms_.set(cancelled, in(milliseconds(2)));
    alarms_.set(kept, in(milliseconds(5)));
  }
  EXPECT_TRUE(cancelled.pending());
  cancelled.cancel();
  EXPECT_FALSE(cancelled.pending());
  context_.run();
  EXPECT_EQ(order_, "k");
}

TEST_F(AlarmsTest, one_may_be_set_again_from_its_own_call) {
  Bell* self = nullptr;
  Bell bell([&] {
    order_ += '.';
    if (order_.size() < 3) alarms_.set(*self, in(milliseconds(0)));
  });
  self = &bell;
  alarms_.set(bell, in(milliseconds(1)));
  context_.run();
  EXPECT_EQ(order_, "...");
}

TEST_F(AlarmsTest, stop_lets_the_context_run_out_of_work) {
  Bell bell([] { ADD_FAILURE(); });
  alarms_.set(bell, in(std::chrono::hours(1)));
  alarms_.stop();
  context_.run();
}

}  // namespace
}  // namespace portunus::dataplane::reactor
