#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace portunus::portal::protocol {

/// Bytes of somebody else, read only.
using Bytes = std::span<const std::uint8_t>;
/// A frame that was built for sending.
using Frame = std::vector<std::uint8_t>;

}  // namespace portunus::portal::protocol
