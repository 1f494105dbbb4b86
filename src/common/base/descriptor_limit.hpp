#pragma once

#include <cstdint>
#include <expected>
#include <system_error>

namespace portunus {

/// RLIMIT_NOFILE of this process.
struct DescriptorLimit {
  std::uint64_t soft = 0;
  std::uint64_t hard = 0;
};

/// Raises the soft limit to the hard one, since every connection takes two descriptors and most
/// systems start a process with 1024. Where the system refuses, what was granted stays in force.
/// Returns the limits in force; the error is that of a failed query.
std::expected<DescriptorLimit, std::error_code> raise_descriptor_limit();

}  // namespace portunus
