#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace portunus::portal::protocol {

/// Bytes of somebody else, read only.
using Bytes = std::span<const std::uint8_t>;
/// What a stream or a socket delivered.
inline Bytes octets(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
}
/// A frame that was built for sending.
using Frame = std::vector<std::uint8_t>;

}  // namespace portunus::portal::protocol
