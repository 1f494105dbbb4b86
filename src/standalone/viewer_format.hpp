#pragma once

#include <cstdint>
#include <string>

namespace portunus::standalone {

/// Units of 1024, one decimal: "0.0 B", "1.5 KB", … up to "PB" (cli-and-config 8.2).
std::string format_bytes(double bytes);
/// The same per second.
std::string format_rate(double bytes_per_second);

}  // namespace portunus::standalone
