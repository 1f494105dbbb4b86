#pragma once

#include <string>
#include <string_view>

#include "common/base/clock.hpp"

namespace portunus {

/// A new ULID: 26 upper-case Crockford base32 characters, 48 bits of milliseconds and 80 random
/// bits. Ids of one millisecond are not ordered among themselves. Thread-safe.
std::string make_ulid(const Clock& clock = SystemClock::instance());

/// True for the canonical upper-case form only.
bool is_ulid(std::string_view text);

}  // namespace portunus
