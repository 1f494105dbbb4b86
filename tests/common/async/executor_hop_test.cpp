#include "common/async/executor_hop.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <stdexcept>
#include <string>
#include <thread>

#include "common/async/within.hpp"

namespace portunus::async {
namespace {

Task<std::string> visit(asio::thread_pool& pool, std::thread::id home, bool* moved, bool* back) {
  auto work = [home, moved] {
    *moved = std::this_thread::get_id() != home;
    return std::string("done");
  };
  std::string result = co_await run_on(pool.get_executor(), std::move(work));
  *back = std::this_thread::get_id() == home;
  co_return result;
}

TEST(RunOn, works_elsewhere_and_resumes_at_home) {
  asio::io_context io;
  asio::thread_pool pool(1);
  bool moved = false, back = false;
  std::string result;
  asio::co_spawn(io, visit(pool, std::this_thread::get_id(), &moved, &back),
                 [&](std::exception_ptr, std::string text) { result = std::move(text); });
  io.run();
  EXPECT_TRUE(moved);
  EXPECT_TRUE(back);
  EXPECT_EQ(result, "done");
}

Task<int> throwing(asio::thread_pool& pool) {
  auto work = []() -> int { throw std::runtime_error("x"); };
  const int value = co_await run_on(pool.get_executor(), std::move(work));
  co_return value;
}

TEST(RunOn, rethrows_at_the_caller) {
  asio::io_context io;
  asio::thread_pool pool(1);
  std::exception_ptr error;
  asio::co_spawn(io, throwing(pool), [&](std::exception_ptr e, int) { error = e; });
  io.run();
  EXPECT_THROW(std::rethrow_exception(error), std::runtime_error);
}

Task<int> slow() {
  const bool slept = co_await sleep_for(std::chrono::hours(1));
  co_return slept ? 1 : 2;
}

TEST(Within, gives_nothing_after_the_limit) {
  asio::io_context io;
  std::optional<int> result = 7;
  asio::co_spawn(io, within(slow(), std::chrono::milliseconds(5)),
                 [&](std::exception_ptr, std::optional<int> r) { result = r; });
  io.run();
  EXPECT_EQ(result, std::nullopt);
}

}  // namespace
}  // namespace portunus::async
