#include "common/model/rate_limit.hpp"

#include <algorithm>
#include <limits>

namespace portunus::model {
namespace {

template <class Number>
bool is_zero(const std::optional<Number>& value) {
  return value && *value == 0;
}

template <class Number>
std::optional<RateLimitFault> check_burst(const std::optional<Number>& burst,
                                          const std::optional<Number>& rate) {
  if (!burst) return std::nullopt;
  if (!rate) return RateLimitFault::burst_without_rate;
  const std::uint64_t least = std::max<std::uint64_t>(1, *rate / 100);
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
  const std::uint64_t most = *rate > kMax / 60 ? kMax : std::uint64_t{*rate} * 60;
  if (*burst < least || *burst > most) return RateLimitFault::burst_range;
  return std::nullopt;
}

}  // namespace

std::optional<RateLimitFault> check_rate_limit(const RateLimit& limit) {
  if (is_zero(limit.bandwidth_in_bps) || is_zero(limit.bandwidth_out_bps) ||
      is_zero(limit.new_connections_per_sec) || is_zero(limit.concurrent_connections)) {
    return RateLimitFault::cap_zero;
  }
  if (auto fault = check_burst(limit.bandwidth_in_burst, limit.bandwidth_in_bps)) return fault;
  if (auto fault = check_burst(limit.bandwidth_out_burst, limit.bandwidth_out_bps)) return fault;
  return check_burst(limit.new_connections_burst, limit.new_connections_per_sec);
}

std::uint64_t burst_of(std::optional<std::uint64_t> burst, std::uint64_t rate) {
  return burst.value_or(rate);
}

}  // namespace portunus::model
