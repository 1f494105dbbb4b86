#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "common/base/deadline.hpp"

namespace portunus::portal::relay {

/// base x (8000 + r mod 4001) / 10000 (portal 9); base itself without a random number.
std::chrono::nanoseconds jittered(std::chrono::nanoseconds base, std::optional<std::uint64_t> r);

/// When a connection that has not authenticated ends: absolute, single, drawn anew for each one
/// when its handshake completes.
class AuthDeadline {
 public:
  AuthDeadline(SteadyTime now, std::chrono::nanoseconds base, std::optional<std::uint64_t> r)
      : at_(deadline_after(now, jittered(base, r))) {}
  /// With a random number of the system.
  static AuthDeadline start(SteadyTime now, std::chrono::nanoseconds base);

  SteadyTime at() const { return at_; }

 private:
  SteadyTime at_;
};

}  // namespace portunus::portal::relay
