#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <exception>
#include <functional>
#include <optional>
#include <stdexcept>
#include <utility>

#include "common/async/task.hpp"

namespace portunus::test {

/// An event loop that runs only while a test waits for something.
class TestIo {
 public:
  boost::asio::io_context& context() { return io_; }
  boost::asio::any_io_executor executor() { return io_.get_executor(); }

  /// The task's result; throws when it has none within ten seconds.
  template <class T>
  T run(async::Task<T> task) {
    auto pending = start(std::move(task));
    run_until([&] { return pending->has_value(); });
    return std::move(**pending);
  }

  /// Starts the task; its result appears once the loop has run far enough.
  template <class T>
  std::shared_ptr<std::optional<T>> start(async::Task<T> task) {
    auto result = std::make_shared<std::optional<T>>();
    boost::asio::co_spawn(io_, std::move(task), [result](std::exception_ptr error, T value) {
      if (error) std::rethrow_exception(error);
      result->emplace(std::move(value));
    });
    return result;
  }

  void run_until(const std::function<bool()>& done,
                 std::chrono::milliseconds limit = std::chrono::seconds(10)) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (!done()) {
      if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("test timed out");
      io_.restart();
      io_.run_one_for(std::chrono::milliseconds(20));
    }
  }
  /// Runs what is ready.
  void poll() {
    io_.restart();
    io_.poll();
  }

 private:
  boost::asio::io_context io_{1};
};

}  // namespace portunus::test
