#pragma once

#include <cstddef>
#include <cstdint>

namespace portunus::bench {

/// The first byte of a connection says what the service does with it.
inline constexpr char kUpload = 'U';    ///< takes bytes; an u64 of the host's order after each MiB
inline constexpr char kDownload = 'D';  ///< gives bytes until the connection ends
inline constexpr char kEcho = 'E';
inline constexpr std::size_t kProgressBytes = 1024 * 1024;

/// The service at the end of every relay, on 127.0.0.1: the above on TCP, echo on UDP. Plain
/// sockets and a thread per connection, so that it measures the relay and not a library.
[[noreturn]] void serve(std::uint16_t port);

}  // namespace portunus::bench
