#pragma once

#include <algorithm>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "common/log/logger.hpp"

namespace portunus::test {

/// Collects the log lines of its lifetime; any thread may log meanwhile.
class LogCapture {
 public:
  explicit LogCapture(std::string_view filter = "trace") {
    log::capture_for_test(
        [this](std::string_view line) {
          const std::lock_guard lock(mutex_);
          lines_.emplace_back(line);
        },
        filter);
  }
  ~LogCapture() { log::capture_for_test(nullptr); }
  LogCapture(const LogCapture&) = delete;
  LogCapture& operator=(const LogCapture&) = delete;

  std::vector<std::string> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }
  /// Lines of that event which contain every one of `parts`.
  std::size_t count(std::string_view event, std::vector<std::string> parts = {}) const {
    const std::string tag = "\"event\":\"" + std::string(event) + "\"";
    const auto all = lines();
    return static_cast<std::size_t>(std::ranges::count_if(all, [&](const std::string& line) {
      return line.contains(tag) && std::ranges::all_of(parts, [&](const std::string& part) {
               return line.contains(part);
             });
    }));
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

}  // namespace portunus::test
