#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <optional>
#include <utility>

#include "common/async/task.hpp"
#include "common/base/clock.hpp"

namespace portunus::client::agent {

/// A queue between handlers and one waiting coroutine of the same executor.
template <class T>
class Inbox {
 public:
  explicit Inbox(const boost::asio::any_io_executor& executor) : wake_(executor) {}

  void push(T value) {
    queue_.push_back(std::move(value));
    wake_.cancel();
  }
  bool empty() const { return queue_.empty(); }

  /// The next value, waiting for it until `deadline`; nothing then, or when cancelled.
  async::Task<std::optional<T>> next(SteadyTime deadline) {
    if (queue_.empty()) {
      wake_.expires_at(deadline);
      co_await wake_.async_wait(async::kTuple);
    }
    if (queue_.empty()) co_return std::nullopt;
    std::optional<T> value(std::move(queue_.front()));
    queue_.pop_front();
    co_return value;
  }

 private:
  std::deque<T> queue_;
  boost::asio::steady_timer wake_;
};

}  // namespace portunus::client::agent
