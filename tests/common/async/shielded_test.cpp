#include "common/async/shielded.hpp"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <exception>

namespace portunus::async {
namespace {

Task<int> two_steps(asio::steady_timer& first, asio::steady_timer& second, int& steps) {
  co_await first.async_wait(kTuple);
  ++steps;
  co_await second.async_wait(kTuple);
  ++steps;
  co_return steps;
}

TEST(Shielded, finishes_although_the_caller_is_cancelled) {
  asio::io_context io{1};
  asio::steady_timer first(io, asio::steady_timer::time_point::max());
  asio::steady_timer second(io, asio::steady_timer::time_point::max());
  asio::cancellation_signal stop;
  int steps = 0;
  int result = 0;
  asio::co_spawn(
      io, shielded(two_steps(first, second, steps)),
      asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr, int r) { result = r; }));
  io.poll();
  stop.emit(asio::cancellation_type::terminal);
  io.poll();
  EXPECT_EQ(steps, 0);  // the timer was not cancelled
  first.cancel();
  io.poll();
  EXPECT_EQ(steps, 1);
  second.cancel();
  io.poll();
  EXPECT_EQ(steps, 2);
  EXPECT_EQ(result, 2);
}

}  // namespace
}  // namespace portunus::async
