#include "common/async/io_threads.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <set>

namespace portunus::async {
namespace {

TEST(IoThreads, each_context_has_its_own_thread_and_join_finishes_the_work) {
  IoThreads threads("test", 3);
  std::array<std::thread::id, 3> ids;
  for (unsigned i = 0; i < 3; ++i) {
    boost::asio::post(threads.context(i), [&ids, i] { ids[i] = std::this_thread::get_id(); });
  }
  threads.start();
  threads.join();
  EXPECT_EQ(std::set<std::thread::id>(ids.begin(), ids.end()).size(), 3U);
}

TEST(IoThreads, stop_abandons_what_waits) {
  IoThreads threads("test", 1);
  boost::asio::steady_timer timer(threads.context(0), std::chrono::hours(1));
  std::atomic<bool> fired = false;
  timer.async_wait([&](auto ec) { fired = !ec; });
  threads.start();
  threads.stop();
  EXPECT_FALSE(fired);
}

TEST(IoThreads, join_until_gives_up_on_a_thread_that_does_not_end_and_halt_ends_it) {
  IoThreads threads("test", 2);
  boost::asio::steady_timer timer(threads.context(1), std::chrono::hours(1));
  timer.async_wait([](auto) {});
  threads.start();
  EXPECT_FALSE(threads.join_until(std::chrono::steady_clock::now()));
  threads.halt();
  EXPECT_TRUE(threads.join_until(std::chrono::steady_clock::now() + std::chrono::seconds(10)));
}

TEST(IoThreads, join_until_does_not_wait_for_a_handler_that_is_stuck) {
  std::promise<void> entered;
  std::promise<void> release;
  IoThreads threads("test", 1);
  boost::asio::post(threads.context(0), [&] {
    entered.set_value();
    release.get_future().wait();
  });
  threads.start();
  entered.get_future().wait();
  threads.halt();
  EXPECT_FALSE(threads.join_until(std::chrono::steady_clock::now()));
  release.set_value();
  EXPECT_TRUE(threads.join_until(std::chrono::steady_clock::now() + std::chrono::seconds(10)));
}

TEST(IoThreads, counts_at_least_one_core) {
  EXPECT_GE(IoThreads::core_count(), 1U);
}

}  // namespace
}  // namespace portunus::async
