#include "common/async/gate.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "common/async/within.hpp"

namespace portunus::async {
namespace {

using namespace std::chrono_literals;

Task<void> wait_for_cancel(int* ended) {
  co_await asio::this_coro::throw_if_cancelled(false);
  co_await sleep_for(1h);
  ++*ended;
}

Task<void> finish_soon(int* ended) {
  co_await sleep_for(1ms);
  ++*ended;
}

Task<void> drain_into(Gate& gate, std::chrono::milliseconds grace, bool* all) {
  *all = co_await gate.drain(grace);
}

void run(asio::io_context& io, Task<void> task) {
  asio::co_spawn(io, std::move(task), [](std::exception_ptr e) { ASSERT_EQ(e, nullptr); });
  io.restart();
  io.run_for(5s);
}

TEST(Gate, drain_waits_for_what_it_started) {
  asio::io_context io;
  Gate gate(io.get_executor());
  int ended = 0;
  for (int i = 0; i < 10; ++i) gate.spawn(finish_soon(&ended));
  gate.close();
  bool all = false;
  run(io, drain_into(gate, 5s, &all));
  EXPECT_TRUE(all);
  EXPECT_EQ(ended, 10);
}

TEST(Gate, drain_gives_up_after_the_grace_and_request_stop_cancels) {
  asio::io_context io;
  Gate gate(io.get_executor());
  int ended = 0;
  gate.spawn(wait_for_cancel(&ended));
  gate.spawn(wait_for_cancel(&ended));
  bool all = true;
  asio::co_spawn(io, drain_into(gate, 20ms, &all), [](std::exception_ptr) {});
  io.run_for(50ms);
  EXPECT_FALSE(all);
  EXPECT_EQ(gate.size(), 2U);
  gate.request_stop();
  run(io, drain_into(gate, 5s, &all));
  EXPECT_TRUE(all);
  EXPECT_EQ(ended, 2);
}

TEST(Gate, takes_nothing_after_the_stop) {
  asio::io_context io;
  Gate gate(io.get_executor());
  gate.request_stop();
  gate.request_stop();
  int ended = 0;
  gate.spawn(finish_soon(&ended));
  io.run_for(20ms);
  EXPECT_TRUE(gate.idle());
  EXPECT_EQ(ended, 0);
}

TEST(Gate, tasks_may_start_tasks) {
  asio::io_context io;
  Gate gate(io.get_executor());
  int ended = 0;
  struct Nested {
    static Task<void> start(Gate& g, int* count) {
      g.spawn(finish_soon(count));
      co_return;
    }
  };
  gate.spawn(Nested::start(gate, &ended));
  bool all = false;
  run(io, drain_into(gate, 5s, &all));
  EXPECT_TRUE(all);
  EXPECT_EQ(ended, 1);
}

}  // namespace
}  // namespace portunus::async
