#pragma once

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>

#include "common/async/task.hpp"
#include "portal/relay/pacer.hpp"

namespace portunus::portal::relay {

/// Ends when `bytes` may be sent on, or when somebody cancels `pause`, which is the caller's.
inline async::Task<void> pace(Pacer& pacer, boost::asio::steady_timer& pause, std::size_t bytes) {
  const SteadyTime now = std::chrono::steady_clock::now();
  const SteadyTime at = pacer.reserve(bytes, now);
  if (at <= now) co_return;
  pause.expires_at(at);
  co_await pause.async_wait(async::kTuple);
}

}  // namespace portunus::portal::relay
