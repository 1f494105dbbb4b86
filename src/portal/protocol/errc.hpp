#pragma once

#include <system_error>

namespace portunus::portal::protocol {

enum class Errc {
  bad_spec = 1,         ///< the spec is not 1..255 bytes of UTF-8
  invalid_auth_frame,   ///< any wrong field of an authentication frame; never which (6.1)
  trailing_auth_bytes,  ///< bytes after the frame on the QUIC authentication stream
  bad_version,          ///< the version byte is not 1
  bad_target_length,    ///< a target of 0 or more than 512 bytes
  bad_target,           ///< a target outside the grammar of 6.5
  bad_padding_length,   ///< the length byte of the padding is not the spec's
  bad_padding,          ///< padding that the target does not give
  short_datagram,       ///< under 12 bytes, or a field that runs over the end
  bad_datagram_type,    ///< a type other than 1, 2 and 3
  packet_too_long,      ///< a UoT packet of more than 65535 bytes
  bad_dial_host,        ///< a target whose host cannot be dialled
  bad_dial_port,        ///< a target whose port is not a decimal 0..65535
};

const std::error_category& category();
inline std::error_code make_error_code(Errc e) {
  return {static_cast<int>(e), category()};
}

}  // namespace portunus::portal::protocol

template <>
struct std::is_error_code_enum<portunus::portal::protocol::Errc> : std::true_type {};
