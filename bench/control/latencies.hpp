#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace portunus::bench {

/// Durations of one window, kept one by one: the counts here are small, and a percentile is exact.
class Latencies {
 public:
  void add(std::chrono::steady_clock::duration time) {
    micros_.push_back(static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(time).count()));
  }
  void add(const Latencies& other) {
    micros_.insert(micros_.end(), other.micros_.begin(), other.micros_.end());
  }
  void clear() { micros_.clear(); }
  std::size_t count() const { return micros_.size(); }

  /// In µs, of `share` in 0..1 by nearest rank; 0 where nothing was measured.
  std::uint64_t at(double share) {
    if (micros_.empty()) return 0;
    const auto last = static_cast<double>(micros_.size() - 1);
    const auto nth = micros_.begin() + static_cast<std::ptrdiff_t>(share * last + 0.5);
    std::ranges::nth_element(micros_, nth);
    return *nth;
  }

 private:
  std::vector<std::uint64_t> micros_;
};

}  // namespace portunus::bench
