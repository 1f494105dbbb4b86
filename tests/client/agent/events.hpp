#pragma once

#include <string>
#include <string_view>

#include "common/log/events.hpp"
#include "tests/support/log_capture.hpp"

namespace portunus::client::agent {

/// Lines of an event that contain `part`.
inline std::size_t count(const test::LogCapture& log, log::Event event,
                         std::string_view part = {}) {
  return log.count(log::info(event).name, {std::string(part)});
}
inline bool has(const test::LogCapture& log, log::Event event, std::string_view part = {}) {
  return count(log, event, part) > 0;
}

}  // namespace portunus::client::agent
