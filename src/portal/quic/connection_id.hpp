#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

namespace portunus::portal::quic {

/// A connection id as a key. Of at most 20 bytes; the rest is zero.
struct ConnectionId {
  /// Of those that this side issues.
  static constexpr std::size_t kIssued = 18;
  static constexpr std::size_t kLongest = 20;
  /// Cores that its first byte can tell apart.
  static constexpr unsigned kMostWorkers = 256;

  std::array<std::uint8_t, kLongest> bytes{};
  std::uint8_t size = 0;

  /// Nothing for more than 20 bytes.
  static std::optional<ConnectionId> from(std::span<const std::uint8_t> bytes);
  /// Random, except that owner() of its first byte is `worker`; 1..kMostWorkers `workers`.
  static ConnectionId issue(unsigned worker, unsigned workers);

  std::span<const std::uint8_t> view() const { return {bytes.data(), size}; }
  friend bool operator==(const ConnectionId&, const ConnectionId&) = default;

  /// The table only holds ids that this side made up, so nobody chooses where in it they lie.
  struct Hash {
    std::size_t operator()(const ConnectionId& id) const {
      std::size_t h = 0;
      std::memcpy(&h, id.bytes.data() + 1, sizeof h);
      return h ^ id.bytes[0];
    }
  };
};

/// Which of `workers` cores a packet belongs to: its destination id says so. The same computation
/// stands in the filter that spreads packets over the cores' sockets (udp_socket.cpp).
inline unsigned owner(std::uint8_t first_byte, unsigned workers) {
  return first_byte % workers;
}

}  // namespace portunus::portal::quic
