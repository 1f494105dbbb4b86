#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace portunus::log {

enum class Level : std::uint8_t { trace, debug, info, warn, error, off };

/// "INFO", as it stands in a line.
std::string_view level_name(Level level);

/// What PORTUNUS_LOG selects by; the name is dotted and not written to the line.
/// `process` stands for the target of whichever program runs.
enum class Target : std::uint8_t {
  process,
  server,
  client,
  standalone,
  dataplane,
  dataplane_tcp,
  dataplane_udp,
  dataplane_dns,
  tls_sni,
};
std::string_view target_name(Target target);

}  // namespace portunus::log
