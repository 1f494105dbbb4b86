#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>

#include "common/base/clock.hpp"
#include "common/model/rate_limit.hpp"
#include "common/model/rule.hpp"
#include "common/model/traffic.hpp"
#include "dataplane/limits/direction.hpp"

namespace portunus::dataplane::limits {

/// One layer of limits, of a rule or of an owner: its caps, its live count and its statistics
/// (data-plane section 12). Starts without any cap. apply() is the owner's thread's; everything
/// else may be called from any thread and never blocks or allocates. Live counts belong to the
/// limiter, not to the envelope, and survive every change (RL-12).
class Limiter {
 public:
  Limiter();
  ~Limiter();
  Limiter(const Limiter&) = delete;
  Limiter& operator=(const Limiter&) = delete;

  /// Takes another envelope into force at once, nothing = no caps. A surviving bucket keeps
  /// min(tokens, new burst) and restarts its clock, a new one starts full (RL-10, RL-11).
  void apply(const std::optional<model::RateLimit>& envelope, SteadyTime now);

  enum class Verdict : std::uint8_t { admitted, rate, concurrent };
  /// Rate token, then concurrency slot (RL-2, RL-3). What was admitted must leave().
  Verdict enter(SteadyTime now);
  void leave();

  /// True while this direction has a bandwidth cap. One relaxed load.
  bool shapes(Direction direction) const;
  /// True while either direction has one.
  bool shapes() const { return shapes(Direction::in) || shapes(Direction::out); }
  /// The most that one take() may ask for: the burst; no bound without a cap (RL-9).
  std::uint64_t burst(Direction direction) const;
  /// Bytes per second in force; 0 without a cap.
  std::uint64_t rate(Direction direction) const;
  /// All or nothing: 0 = taken (also without a cap), otherwise the time until it can be (RL-1).
  /// More than the burst never succeeds.
  std::chrono::microseconds take(Direction direction, std::uint64_t bytes, SteadyTime now);
  /// A datagram: like take(), but one larger than the burst is admitted by a full bucket, which it
  /// empties (RL-9). False = drop it.
  bool take_datagram(Direction direction, std::uint64_t bytes, SteadyTime now);

  void count_reject(model::Reject reason);
  void count_throttle(Direction direction, std::chrono::microseconds asked_to_wait);
  /// Live; counters never fall.
  model::LimitTraffic traffic() const;
  /// Any cap is in force.
  bool capped() const;

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

/// The gate of a new connection or flow: owner first, then rule (RL-2). A rule's refusal gives the
/// owner's slot back. Counts the reject in the layer that refused (RL-6). `owner` may be null.
/// What was admitted (nothing returned) must leave() both layers.
std::optional<model::Reject> admit(Limiter* owner, Limiter& rule, model::Protocol protocol,
                                   SteadyTime now);
void leave(Limiter* owner, Limiter& rule);
/// Which layer refused.
inline bool is_owner_reject(model::Reject reason) {
  return reason >= model::Reject::owner_concurrent;
}

/// One read of the capped copy loop: 100 ms worth of the smallest rate in force, clamped to
/// 8..64 KiB, then to the smallest burst (data-plane section 1, RL-9). Only the caps of this
/// direction count; without any, 64 KiB.
std::size_t capped_chunk(const Limiter* owner, const Limiter& rule, Direction direction);

}  // namespace portunus::dataplane::limits
