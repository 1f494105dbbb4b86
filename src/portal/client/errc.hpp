#pragma once

#include <system_error>

namespace portunus::portal::client {

/// Why a client has no connection, or lost one.
enum class Errc {
  bad_pin = 1,       ///< not 64 hex digits
  trust_conflict,    ///< a pin and the opt-in to trust anything
  no_host,           ///< a URL that names no host to connect to
  no_port,           ///< a URL with port 0
  bad_pool_size,     ///< over 9
  bad_target,        ///< not a target that the Portal may dial (portal 6.5)
  unreachable,       ///< no address of the Portal took a connection
  handshake_failed,  ///< TLS or QUIC: not trusted, wrong ALPN, or not a Portal
  timed_out,         ///< not connected, or no stream granted, in time
  access_denied,     ///< QUIC close code 1: the Portal refused the authentication
  connection_lost,   ///< the connection ended
  too_many_flows,    ///< the local bound on UDP flows is reached
  stopped,           ///< the client is stopping
};

const std::error_category& category();
inline std::error_code make_error_code(Errc e) {
  return {static_cast<int>(e), category()};
}

}  // namespace portunus::portal::client

template <>
struct std::is_error_code_enum<portunus::portal::client::Errc> : std::true_type {};
