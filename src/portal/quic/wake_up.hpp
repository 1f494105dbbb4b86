#pragma once

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include "common/async/task.hpp"

namespace portunus::portal::quic {

/// Wakes the coroutines that wait for a condition to be looked at again. One thread.
class WakeUp {
 public:
  explicit WakeUp(const boost::asio::any_io_executor& executor)
      : timer_(executor, boost::asio::steady_timer::time_point::max()) {}

  void notify() {
    if (waiting_ > 0) timer_.cancel();
  }

  /// Until notify() or `deadline`; only where nobody else waits. False when the caller was
  /// cancelled.
  async::Task<bool> wait_until(boost::asio::steady_timer::time_point deadline) {
    timer_.expires_at(deadline);
    const bool go_on = co_await wait();
    timer_.expires_at(boost::asio::steady_timer::time_point::max());
    co_return go_on;
  }

  /// Until notify(); false when the caller was cancelled. From here on the caller's coroutine acts
  /// on that itself: later waits of it do not throw.
  async::Task<bool> wait() {
    co_await boost::asio::this_coro::throw_if_cancelled(false);
    auto state = co_await boost::asio::this_coro::cancellation_state;
    if (state.cancelled() != boost::asio::cancellation_type::none) co_return false;
    ++waiting_;
    co_await timer_.async_wait(async::kTuple);
    --waiting_;
    state = co_await boost::asio::this_coro::cancellation_state;
    co_return state.cancelled() == boost::asio::cancellation_type::none;
  }

 private:
  boost::asio::steady_timer timer_;
  unsigned waiting_ = 0;
};

}  // namespace portunus::portal::quic
