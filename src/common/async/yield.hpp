#pragma once

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include "common/async/task.hpp"

namespace portunus::async {

/// Lets whatever is ready on this executor run first: between the parts of long work, so that
/// nobody waits for more than one of them.
inline Task<> yield() {
  const auto here = co_await asio::this_coro::executor;
  co_await asio::post(here, asio::use_awaitable);
}

}  // namespace portunus::async
