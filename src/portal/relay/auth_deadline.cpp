#include "portal/relay/auth_deadline.hpp"

#include <sys/random.h>

namespace portunus::portal::relay {

std::chrono::nanoseconds jittered(std::chrono::nanoseconds base, std::optional<std::uint64_t> r) {
  if (!r) return base;
  // In two steps, because base x 12000 may not fit.
  const auto factor = static_cast<std::int64_t>(8000 + *r % 4001);
  const std::int64_t whole = base.count() / 10000;
  const std::int64_t rest = base.count() % 10000;
  std::int64_t product = 0;
  if (__builtin_mul_overflow(whole, factor, &product)) return std::chrono::nanoseconds::max();
  if (__builtin_add_overflow(product, rest * factor / 10000, &product)) {
    return std::chrono::nanoseconds::max();
  }
  return std::chrono::nanoseconds(product);
}

AuthDeadline AuthDeadline::start(SteadyTime now, std::chrono::nanoseconds base) {
  std::uint64_t r = 0;
  const bool drawn = ::getrandom(&r, sizeof r, GRND_NONBLOCK) == sizeof r;
  return {now, base, drawn ? std::optional(r) : std::nullopt};
}

}  // namespace portunus::portal::relay
