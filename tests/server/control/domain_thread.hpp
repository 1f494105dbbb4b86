#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <memory>
#include <thread>
#include <utility>

#include "common/async/task.hpp"
#include "tests/support/eventually.hpp"

namespace portunus::test {

/// The domain executor of a test, on a thread of its own once started.
class DomainThread {
 public:
  ~DomainThread() { join(); }

  boost::asio::any_io_executor executor() { return io_.get_executor(); }
  void start() {
    thread_ = std::thread([this] { io_.run(); });
  }
  void join() {
    work_.reset();
    if (thread_.joinable()) thread_.join();
  }

  /// The result of a function that runs there.
  template <class F>
  auto operator()(F f) {
    auto task = std::make_shared<std::packaged_task<decltype(f())()>>(std::move(f));
    auto result = task->get_future();
    boost::asio::post(io_, [task] { (*task)(); });
    return result.get();
  }
  /// The result of a coroutine that runs there.
  template <class T>
  T run(async::Task<T> task) {
    return launch(std::move(task)).get();
  }
  template <class T>
  std::future<T> launch(async::Task<T> task) {
    return boost::asio::co_spawn(io_, std::move(task), boost::asio::use_future);
  }
  /// Polls a condition there.
  template <class F>
  bool eventually(F condition) {
    return test::eventually([&] { return (*this)(condition); });
  }

 private:
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_ =
      boost::asio::make_work_guard(io_);
  std::thread thread_;
};

}  // namespace portunus::test
