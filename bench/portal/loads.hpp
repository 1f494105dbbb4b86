#pragma once

#include <cstddef>
#include <cstdint>

#include "workers.hpp"

namespace portunus::bench {

/// Each prints one JSON object (hold: one line) to stdout and does not return.
[[noreturn]] void bulk(const Way& way, bool upload, std::uint32_t flows, std::uint32_t seconds);
/// Echoed packets of `size` bytes; each flow keeps so many on the way that the relay is never idle
/// and nothing overflows.
[[noreturn]] void packets(const Way& way, std::uint32_t size, std::uint32_t flows,
                          std::uint32_t seconds);
/// New connections, each proven by one byte there and back: with a Portal every one authenticates.
[[noreturn]] void dials(const Way& way, std::uint32_t at_once, std::uint32_t seconds);
/// Holds so many idle connections until stdin closes.
[[noreturn]] void hold(const Way& way, std::uint32_t count, std::uint32_t max_seconds);

}  // namespace portunus::bench
