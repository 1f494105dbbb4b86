#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace portunus::server::http {

/// Bounds of one HTTP listener; every wait for a peer has one.
struct HttpOptions {
  std::size_t max_connections = 512;
  std::uint32_t header_limit = 16 * 1024;      ///< bytes, request line included
  std::uint64_t body_limit = 2 * 1024 * 1024;  ///< bytes (http-api 1)
  /// Bytes of all bodies together, and how many of each are not counted (body_budget.hpp).
  std::uint64_t bodies_limit = 64 * 1024 * 1024;
  std::uint64_t spared_body = 16 * 1024;
  /// What is read past an answer that did not need the body, to keep the connection.
  std::uint64_t skip_limit = 64 * 1024;
  /// How long that may take; the answer waits for it.
  std::chrono::milliseconds skip_timeout{2'000};
  std::chrono::milliseconds idle_timeout{60'000};    ///< between requests
  std::chrono::milliseconds header_timeout{10'000};  ///< first byte to end of header
  std::chrono::milliseconds body_timeout{30'000};
  /// What is left to a body that is still on its way in when the listener stops, and to a peer for
  /// each part of one on its way out.
  std::chrono::milliseconds stop_body_timeout{1'000};
  std::chrono::milliseconds write_timeout{60'000};
  /// How long a closing connection still reads, so that the peer gets its last answer.
  std::chrono::milliseconds linger_timeout{1'000};
  /// At max_connections: a peer that has kept its request or its answer waiting this long makes
  /// room.
  std::chrono::milliseconds slow_after{5'000};
  /// How often that is looked at, while nobody else makes room.
  std::chrono::milliseconds room_check{500};
  /// The pause after accept ran out of descriptors or memory.
  std::chrono::milliseconds accept_pause{100};
};

}  // namespace portunus::server::http
