#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "common/base/clock.hpp"

namespace portunus::portal::relay {

/// The rate limit of one direction for the whole process (portal 14): bytes queue up behind one
/// instant, without a burst, in the order of their reservations, which are not refunded. Any
/// thread; one word, no lock.
class Pacer {
 public:
  /// 0 = no limit.
  explicit Pacer(std::uint64_t bytes_per_second) : rate_(bytes_per_second) {}
  /// From the URL's Mbps.
  static std::uint64_t bytes_per_second(std::uint64_t mbps) { return mbps * 125000; }

  bool limited() const { return rate_ != 0; }
  /// When `bytes`, which were received at `now`, may be sent on. `now` itself for none of them and
  /// without a limit.
  SteadyTime reserve(std::size_t bytes, SteadyTime now);
  /// Forgets what is queued (portal 17).
  void reset() { next_.store(SteadyTime::min().time_since_epoch().count()); }

 private:
  const std::uint64_t rate_;
  alignas(64) std::atomic<std::int64_t> next_{SteadyTime::min().time_since_epoch().count()};
};

/// The pair that all sessions of both carriers share.
struct Pacers {
  Pacer uplink;
  Pacer downlink;
  void reset() {
    uplink.reset();
    downlink.reset();
  }
};

}  // namespace portunus::portal::relay
