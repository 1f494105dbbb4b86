#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string_view>

#include "common/base/clock.hpp"

namespace portunus::dataplane::failover {

enum class Health : std::uint8_t { healthy, failed };
/// "Healthy", "Failed".
std::string_view health_name(Health health);

/// The passive state machine of one target (FO-2). Any thread; never blocks.
class TargetHealth {
 public:
  struct Change {
    Health from;
    Health to;
    std::uint32_t consecutive_failures;
  };
  /// A failure or a success of a connection, a flow or a probe. The transition it brings about, to
  /// exactly one caller (FO-3).
  std::optional<Change> record_failure(SteadyTime now, std::uint64_t unix_ms);
  std::optional<Change> record_success(SteadyTime now, std::uint64_t unix_ms);

  Health health() const;
  std::uint32_t consecutive_failures() const;
  /// Unix milliseconds, 0 = never.
  std::uint64_t last_failure_unix_ms() const;
  std::uint64_t last_success_unix_ms() const;

 private:
  /// Layout is the implementation's.
  std::atomic<std::uint64_t> state_{0};
  std::atomic<std::uint64_t> last_failure_{0};
  std::atomic<std::uint64_t> last_success_{0};
};

}  // namespace portunus::dataplane::failover
