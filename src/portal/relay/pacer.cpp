#include "portal/relay/pacer.hpp"

#include <algorithm>
#include <chrono>

namespace portunus::portal::relay {

SteadyTime Pacer::reserve(std::size_t bytes, SteadyTime now) {
  if (rate_ == 0 || bytes == 0) return now;
  constexpr unsigned __int128 kSecond = 1'000'000'000;
  // A century is as good as for ever, and can be added to any instant.
  constexpr std::int64_t kMost = std::int64_t{100} * 365 * 86400 * 1'000'000'000;
  const unsigned __int128 exact = static_cast<unsigned __int128>(bytes) * kSecond / rate_;
  const auto cost = static_cast<std::int64_t>(
      std::clamp<unsigned __int128>(exact, 1, static_cast<unsigned __int128>(kMost)));
  const std::int64_t start = now.time_since_epoch().count();
  std::int64_t queued = next_.load(std::memory_order_relaxed);
  std::int64_t mine = 0;
  do {
    if (__builtin_add_overflow(std::max(start, queued), cost, &mine)) {
      mine = SteadyTime::max().time_since_epoch().count();
    }
  } while (!next_.compare_exchange_weak(queued, mine, std::memory_order_relaxed));
  return SteadyTime(std::chrono::nanoseconds(mine));
}

}  // namespace portunus::portal::relay
