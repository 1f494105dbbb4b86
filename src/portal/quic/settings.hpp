#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace portunus::portal::quic {

/// What one side allows its peers and itself (portal section 8). The defaults are the Portal's.
struct Settings {
  std::string alpn = "now/1";
  /// 0 = no limit of this side.
  std::chrono::nanoseconds idle_timeout = std::chrono::seconds(120);
  /// From the first packet to the end of the TLS handshake; none = only the idle timeout.
  std::optional<std::chrono::nanoseconds> handshake_timeout;
  /// Bidirectional streams that the peer may open before raise_credit(). Unidirectional ones: none.
  std::uint64_t initial_streams = 1;
  /// Bytes over all streams that the peer may send before raise_credit(), and the window after.
  std::uint64_t initial_data = 64 * 1024;
  std::uint64_t data_window = 32 * 1024 * 1024;
  std::uint64_t stream_window = 16 * 1024 * 1024;
  /// Own stream data of a connection that is kept for the case of a loss, or waits to be sent.
  std::uint64_t unacknowledged = 32 * 1024 * 1024;
  std::uint64_t max_datagram_frame = 65'535;
  /// Of undelivered DATAGRAMs, in each direction; the oldest are dropped.
  std::size_t datagram_bytes = 4 * 1024 * 1024;
  /// A PING after this much silence. The Portal sends none; clients may (section 18).
  std::optional<std::chrono::nanoseconds> keep_alive;

  /// A client's: the server opens no streams, and what it sends is bounded by the windows alone.
  static Settings client() {
    Settings s;
    s.initial_streams = 0;
    s.initial_data = s.data_window;
    return s;
  }
};

/// An idle timeout above this cannot be told to a peer (portal section 15).
inline constexpr std::chrono::milliseconds kLongestIdleTimeout((std::int64_t{1} << 62) - 1);

}  // namespace portunus::portal::quic
