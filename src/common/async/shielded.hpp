#pragma once

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <utility>

#include "common/async/task.hpp"

namespace portunus::async {

/// Runs the task to its end even when the caller is cancelled meanwhile, on the caller's executor;
/// the caller waits for it. For a change that must not stop half-way, such as a commit and the
/// steps that follow from it. A caller that is already cancelled does not start it.
template <class T>
Task<T> shielded(Task<T> task) {
  auto executor = co_await asio::this_coro::executor;
  co_return co_await asio::co_spawn(
      executor, std::move(task),
      asio::bind_cancellation_slot(asio::cancellation_slot(), asio::use_awaitable));
}

}  // namespace portunus::async
