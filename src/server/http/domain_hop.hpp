#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "common/async/task.hpp"

namespace portunus::server::http {

/// The only hop between a connection's executor and the domain's. Where they are the same, as in
/// this release, it costs nothing.
template <class T>
async::Task<T> hop_to(async::asio::any_io_executor target, async::Task<T> task) {
  const auto here = co_await async::asio::this_coro::executor;
  if (here == target) co_return co_await std::move(task);
  co_return co_await async::asio::co_spawn(target, std::move(task), async::asio::use_awaitable);
}

}  // namespace portunus::server::http
