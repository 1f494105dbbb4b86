#pragma once

#include <cstdint>

namespace portunus::server::store {

// The times of traffic samples (store-and-quotas 7), in Unix seconds.

/// The two tables of samples, by the length of time that one row covers.
enum class Bucket : std::uint8_t { minute, hour };

inline constexpr std::int64_t kMinute = 60;
inline constexpr std::int64_t kHour = 60 * kMinute;

/// Start of the minute or the hour that holds an instant, which may lie before 1970.
constexpr std::int64_t minute_of(std::int64_t instant) {
  return instant - (instant % kMinute + kMinute) % kMinute;
}
constexpr std::int64_t hour_of(std::int64_t instant) {
  return instant - (instant % kHour + kHour) % kHour;
}

}  // namespace portunus::server::store
