#pragma once

#include <ngtcp2/ngtcp2.h>

#include <chrono>
#include <cstdint>
#include <cstring>

#include "common/base/clock.hpp"
#include "portal/quic/connection_id.hpp"
#include "portal/quic/settings.hpp"
#include "portal/quic/udp_socket.hpp"

namespace portunus::portal::quic {

// What our types are in the library's terms.

/// The bit of a packet's first byte that tells the headers apart (RFC 9000 section 17).
inline constexpr std::uint8_t kLongHeader = 0x80;

inline ngtcp2_tstamp to_library(SteadyTime time) {
  return static_cast<ngtcp2_tstamp>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count());
}
inline SteadyTime from_library(ngtcp2_tstamp time) {
  return SteadyTime(std::chrono::nanoseconds(static_cast<std::int64_t>(time)));
}
inline ngtcp2_tstamp library_now() {
  return to_library(std::chrono::steady_clock::now());
}

inline ngtcp2_cid to_library(const ConnectionId& id) {
  ngtcp2_cid out;
  ngtcp2_cid_init(&out, id.bytes.data(), id.size);
  return out;
}
inline ConnectionId from_library(const ngtcp2_cid& id) {
  return ConnectionId::from({id.data, id.datalen}).value_or(ConnectionId());
}

/// Points into both, and carries the socket along.
inline ngtcp2_path path_of(SocketAddress& local, SocketAddress& remote, void* socket) {
  return {.local = {&local.any, local.size()},
          .remote = {&remote.any, remote.size()},
          .user_data = socket};
}
inline SocketAddress address_of(const ngtcp2_addr& address) {
  SocketAddress out;
  std::memcpy(&out, address.addr, address.addrlen);
  return out;
}

/// The state machine's settings: BBR, path MTU discovery up to Ethernet's, our time-outs. The
/// window that a connection begins with is the library's own; it cannot be set (1.11).
ngtcp2_settings library_settings(const Settings& settings, bool v6);
ngtcp2_transport_params transport_parameters(const Settings& settings, bool server);
ngtcp2_callbacks library_callbacks(bool server);

}  // namespace portunus::portal::quic
