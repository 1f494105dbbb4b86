#pragma once

#include <chrono>
#include <cstdint>

namespace portunus {

using SystemTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;
using SteadyTime = std::chrono::steady_clock::time_point;

/// Where code that stores or compares instants takes them from, so that tests decide the time.
/// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual SystemTime now() const = 0;
  virtual SteadyTime steady_now() const = 0;
};

class SystemClock final : public Clock {
 public:
  SystemTime now() const override {
    return std::chrono::time_point_cast<std::chrono::microseconds>(
        std::chrono::system_clock::now());
  }
  SteadyTime steady_now() const override { return std::chrono::steady_clock::now(); }
  static const SystemClock& instance() {
    static const SystemClock clock;
    return clock;
  }
};

/// Stands still until advanced. One thread only.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(std::int64_t unix_seconds = 1'700'000'000)
      : now_(std::chrono::seconds(unix_seconds)) {}
  SystemTime now() const override { return now_; }
  SteadyTime steady_now() const override { return steady_; }
  void advance(std::chrono::microseconds d) {
    now_ += d;
    steady_ += d;
  }
  /// A step of the wall clock alone, as an operator or NTP makes it.
  void step_wall(std::chrono::microseconds d) { now_ += d; }

 private:
  SystemTime now_;
  SteadyTime steady_{};
};

inline std::int64_t to_unix_micros(SystemTime t) {
  return t.time_since_epoch().count();
}
inline std::int64_t to_unix_millis(SystemTime t) {
  return std::chrono::floor<std::chrono::milliseconds>(t).time_since_epoch().count();
}
inline std::int64_t to_unix_seconds(SystemTime t) {
  return std::chrono::floor<std::chrono::seconds>(t).time_since_epoch().count();
}
inline SystemTime from_unix_micros(std::int64_t us) {
  return SystemTime(std::chrono::microseconds(us));
}

}  // namespace portunus
