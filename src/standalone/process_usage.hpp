#pragma once

#include <cstdint>
#include <optional>

namespace portunus::standalone {

/// What this process holds of the system; nothing where it cannot be read.
struct ProcessUsage {
  std::optional<std::uint64_t> fd_open;
  std::optional<std::uint64_t> fd_limit;
  std::optional<std::uint64_t> rss_bytes;
};
ProcessUsage process_usage();

/// Raises the limit of descriptors as far as it goes and logs what is in force (cli-and-config 9).
void claim_descriptors();

}  // namespace portunus::standalone
