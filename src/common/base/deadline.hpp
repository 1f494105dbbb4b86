#pragma once

#include "common/base/clock.hpp"

namespace portunus {

/// `now + wait`, or the last instant there is when that lies beyond it.
constexpr SteadyTime deadline_after(SteadyTime now, std::chrono::nanoseconds wait) {
  return wait > SteadyTime::max() - now ? SteadyTime::max() : now + wait;
}

}  // namespace portunus
