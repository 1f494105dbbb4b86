#pragma once

#include <cstdint>
#include <optional>

namespace portunus::model {

/// An envelope of caps, of a rule or of an owner on one edge (data-plane section 12). Absent =
/// unlimited. Rates per second, bandwidth in bytes; a burst needs its rate.
struct RateLimit {
  std::optional<std::uint64_t> bandwidth_in_bps = {};
  std::optional<std::uint64_t> bandwidth_out_bps = {};
  std::optional<std::uint32_t> new_connections_per_sec = {};
  std::optional<std::uint32_t> concurrent_connections = {};
  std::optional<std::uint64_t> bandwidth_in_burst = {};
  std::optional<std::uint64_t> bandwidth_out_burst = {};
  std::optional<std::uint32_t> new_connections_burst = {};

  bool empty() const { return *this == RateLimit{}; }
  friend bool operator==(const RateLimit&, const RateLimit&) = default;
};

/// Why an envelope is refused, in the order in which http-api 7.3 judges.
enum class RateLimitFault {
  cap_zero,            ///< a rate or the concurrency is 0
  burst_without_rate,  ///< a burst whose rate is absent
  burst_range,         ///< a burst outside [max(1, rate/100), rate * 60]
};
std::optional<RateLimitFault> check_rate_limit(const RateLimit& limit);

/// The burst in force: as given, or one second of the rate. The rate must be there.
std::uint64_t burst_of(std::optional<std::uint64_t> burst, std::uint64_t rate);

}  // namespace portunus::model
