#pragma once

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <chrono>
#include <optional>
#include <utility>
#include <variant>

#include "common/async/task.hpp"

namespace portunus::async {

/// Waits on the caller's executor; false when cancelled.
inline Task<bool> sleep_for(std::chrono::steady_clock::duration d) {
  asio::steady_timer timer(co_await asio::this_coro::executor, d);
  const auto [ec] = co_await timer.async_wait(kTuple);
  co_return !ec;
}

/// Waits on the caller's executor; false when cancelled.
inline Task<bool> sleep_until(std::chrono::steady_clock::time_point when) {
  asio::steady_timer timer(co_await asio::this_coro::executor, when);
  const auto [ec] = co_await timer.async_wait(kTuple);
  co_return !ec;
}

/// The task's result, or nothing after `limit`, in which case the task was cancelled and has
/// ended. For one-off steps, not for every read of a connection.
template <class T>
Task<std::optional<T>> within(Task<T> task, std::chrono::steady_clock::duration limit) {
  using namespace asio::experimental::awaitable_operators;  // NOLINT
  auto winner = co_await (std::move(task) || sleep_for(limit));
  if (winner.index() == 1) co_return std::nullopt;
  co_return std::get<0>(std::move(winner));
}

}  // namespace portunus::async
