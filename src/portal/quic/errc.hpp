#pragma once

#include <system_error>

namespace portunus::portal::quic {

enum class Errc {
  out_of_memory = 1,  ///< the library could not allocate
  no_random,          ///< the system gave no random bytes
  bad_certificate,    ///< certificate or key unusable, or they do not match
  no_socket,          ///< a socket could not be created, bound or watched
  handshake_failed,   ///< TLS or transport parameters were refused, by either side
  handshake_timeout,  ///< not complete within Settings::handshake_timeout
  idle_timeout,       ///< nothing came for the idle time
  closed_by_peer,     ///< the peer closed with an application code
  peer_error,         ///< the peer closed with a transport error
  protocol_error,     ///< the peer broke the protocol
  stateless_reset,    ///< the peer has forgotten the connection
  closed,             ///< closed from this side
  stream_reset,       ///< the peer abandoned what it was sending
  stream_stopped,     ///< the peer does not want what this side sends
  cancelled,          ///< the waiting coroutine was cancelled
};

const std::error_category& category();
inline std::error_code make_error_code(Errc e) {
  return {static_cast<int>(e), category()};
}

}  // namespace portunus::portal::quic

template <>
struct std::is_error_code_enum<portunus::portal::quic::Errc> : std::true_type {};
