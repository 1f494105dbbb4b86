#pragma once

#include <chrono>
#include <optional>

#include "common/base/clock.hpp"
#include "server/store/rows.hpp"

namespace portunus::server::web_auth {

// When failures lock a key (http-api 3.5), as pure functions of the stored row and the time.

inline constexpr int kFailuresToLock = 5;
inline constexpr std::chrono::seconds kFirstLock{60};
inline constexpr std::chrono::seconds kLongestLock{900};
/// A burst ends when nothing has failed for this long.
inline constexpr std::chrono::minutes kBurstGap{15};

/// The whole seconds for which the key is still locked, at least 1; nothing when it is not.
std::optional<std::chrono::seconds> lock_left(const store::AttemptRow& attempts, SystemTime now);

/// The row after one more failure; `before` is the row so far, if there is one.
store::AttemptRow after_failure(const std::optional<store::AttemptRow>& before, SystemTime now);

}  // namespace portunus::server::web_auth
