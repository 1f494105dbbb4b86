#include "dataplane/failover/target_health.hpp"

#include <chrono>
#include <limits>

namespace portunus::dataplane::failover {
namespace {

constexpr std::uint32_t kFailuresToFail = 3;
constexpr std::int64_t kWindowNanos = std::chrono::nanoseconds(std::chrono::seconds(30)).count();
constexpr int kSuccessesToRecover = 2;

/// The state machine in one word, so that a single compare and exchange makes a transition.
/// Bit 0 tells which of the two layouts holds:
///   healthy  bits 1-2: failures in the window (0..2), bits 3-63: its start, steady nanoseconds
///   failed   bits 1-2: successes in a row (0..1), bits 3-34: failures, saturating
struct State {
  Health health = Health::healthy;
  std::uint32_t failures = 0;
  std::int64_t window_start = 0;
  int successes = 0;

  static State unpack(std::uint64_t word) {
    State s;
    const auto small = static_cast<std::uint32_t>((word >> 1) & 3);
    if ((word & 1) == 0) {
      s.failures = small;
      s.window_start = static_cast<std::int64_t>(word >> 3);
    } else {
      s.health = Health::failed;
      s.successes = static_cast<int>(small);
      s.failures = static_cast<std::uint32_t>(word >> 3);
    }
    return s;
  }
  std::uint64_t pack() const {
    if (health == Health::healthy) {
      return (std::uint64_t{failures} << 1) | (static_cast<std::uint64_t>(window_start) << 3);
    }
    return 1 | (static_cast<std::uint64_t>(successes) << 1) | (std::uint64_t{failures} << 3);
  }

  void fail(std::int64_t now) {
    if (health == Health::failed) {
      successes = 0;
      if (failures < std::numeric_limits<std::uint32_t>::max()) ++failures;
      return;
    }
    // Another thread may have opened the window with a later reading of the clock: still inside.
    if (failures == 0 || now - window_start > kWindowNanos) {
      failures = 1;
      window_start = now;
    } else if (++failures == kFailuresToFail) {
      health = Health::failed;
    }
  }
  void succeed() {
    if (health == Health::failed && ++successes < kSuccessesToRecover) return;
    *this = State{};
  }
};

/// Applies `step` until no other thread came in between. The transition belongs to the caller whose
/// exchange made it.
template <class Step>
std::optional<TargetHealth::Change> transition(std::atomic<std::uint64_t>& word, Step step) {
  std::uint64_t seen = word.load(std::memory_order_relaxed);
  for (;;) {
    const State before = State::unpack(seen);
    State after = before;
    step(after);
    const std::uint64_t wanted = after.pack();
    // A success of a target without failures, the usual case, writes nothing.
    if (wanted == seen || word.compare_exchange_weak(seen, wanted, std::memory_order_relaxed)) {
      if (before.health == after.health) return std::nullopt;
      return TargetHealth::Change{before.health, after.health, after.failures};
    }
  }
}

/// Keeps the cache line to itself while connections succeed within the same millisecond.
void note(std::atomic<std::uint64_t>& at, std::uint64_t unix_ms) {
  if (at.load(std::memory_order_relaxed) != unix_ms) {
    at.store(unix_ms, std::memory_order_relaxed);
  }
}

}  // namespace

std::string_view health_name(Health health) {
  switch (health) {
    case Health::healthy:
      return "Healthy";
    case Health::failed:
      return "Failed";
  }
  return "Failed";
}

std::optional<TargetHealth::Change> TargetHealth::record_failure(SteadyTime now,
                                                                 std::uint64_t unix_ms) {
  note(last_failure_, unix_ms);
  const std::int64_t nanos =
      std::chrono::duration_cast<std::chrono::nanoseconds>(now.time_since_epoch()).count();
  return transition(state_, [nanos](State& s) { s.fail(nanos); });
}

std::optional<TargetHealth::Change> TargetHealth::record_success(SteadyTime,
                                                                 std::uint64_t unix_ms) {
  note(last_success_, unix_ms);
  return transition(state_, [](State& s) { s.succeed(); });
}

Health TargetHealth::health() const {
  return State::unpack(state_.load(std::memory_order_relaxed)).health;
}

std::uint32_t TargetHealth::consecutive_failures() const {
  return State::unpack(state_.load(std::memory_order_relaxed)).failures;
}

std::uint64_t TargetHealth::last_failure_unix_ms() const {
  return last_failure_.load(std::memory_order_relaxed);
}

std::uint64_t TargetHealth::last_success_unix_ms() const {
  return last_success_.load(std::memory_order_relaxed);
}

}  // namespace portunus::dataplane::failover
