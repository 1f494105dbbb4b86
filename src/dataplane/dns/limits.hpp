#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace portunus::dataplane::dns {

/// Who wants a name, where askers have a share each.
enum class Asker : std::uint64_t {
  /// Has no share and no bound of his own.
  nobody = std::numeric_limits<std::uint64_t>::max(),
};

/// What a resolver and its cache allow themselves. The defaults are the engine's (data-plane
/// section 8).
struct Limits {
  std::size_t entries = 8192;
  /// Under way at a time. Below `entries`, so that there is always an entry that may be evicted.
  std::size_t lookups = 64;
  /// Of these, started for one asker.
  std::size_t per_asker = std::numeric_limits<std::size_t>::max();
  /// What one lookup may take.
  std::chrono::nanoseconds attempt = std::chrono::seconds(3);
};

}  // namespace portunus::dataplane::dns
