#pragma once

#include <cstdint>

namespace portunus::dataplane::limits {

/// in = downstream to upstream, out = upstream to downstream.
enum class Direction : std::uint8_t { in, out };

}  // namespace portunus::dataplane::limits
