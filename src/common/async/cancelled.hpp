#pragma once

#include <boost/asio/this_coro.hpp>

#include "common/async/task.hpp"

namespace portunus::async {

/// True when the calling coroutine has been cancelled, which interrupts the wait at hand and none
/// of those that follow.
inline Task<bool> cancelled() {
  const auto state = co_await asio::this_coro::cancellation_state;
  co_return state.cancelled() != asio::cancellation_type::none;
}

}  // namespace portunus::async
