#pragma once

#include <chrono>
#include <cstdint>

#include "common/base/result.hpp"
#include "common/config/environment.hpp"

namespace portunus::portal::config {

/// The NOW_* variables (portal 15). Read once at start, never changed.
struct Tuning {
  std::uint32_t quic_max_streams = 1024;
  std::uint32_t tcp_buffer_size = 32768;
  std::uint32_t udp_buffer_size = 65536;
  std::chrono::nanoseconds tcp_dial_timeout = std::chrono::seconds(15);
  std::chrono::nanoseconds udp_dial_timeout = std::chrono::seconds(15);
  std::chrono::nanoseconds tcp_read_timeout = std::chrono::seconds(30);
  std::chrono::nanoseconds udp_idle_timeout = std::chrono::seconds(120);
  std::chrono::nanoseconds handshake_timeout = std::chrono::seconds(5);
  std::chrono::nanoseconds report_interval = std::chrono::seconds(5);
  std::chrono::nanoseconds shutdown_timeout = std::chrono::seconds(5);
  std::chrono::nanoseconds reload_interval = std::chrono::seconds(3600);
  /// NOW_UDP_IDLE_TIMEOUT is more than QUIC can announce; check_transport_limits says so in its
  /// turn.
  bool udp_idle_beyond_quic = false;
};

/// Unset, invalid or overflowing: the default. 0 is taken literally; a report interval of 0 is 1
/// ms.
Tuning read_tuning(const portunus::config::Environment& environment);

/// The step "transport limits" of the validation order (portal 2.1), between the resolution of the
/// host and the binds: Errc::idle_timeout_long.
Result<> check_transport_limits(const Tuning& tuning);

}  // namespace portunus::portal::config
