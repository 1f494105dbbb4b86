#pragma once

#include <system_error>

namespace portunus::portal::config {

/// Why the Portal does not start; one value per rule of portal 2, 2.1 and 15.
enum class Errc {
  missing_url = 1,    ///< no argument at all
  bad_url,            ///< not scheme://authority, or a host or port that cannot be read
  bad_scheme,         ///< a scheme other than portal
  missing_port,       ///< no port, or an empty one
  password_given,     ///< a password that is not empty
  bad_key,            ///< a key that is not 1..255 bytes of UTF-8
  bad_spec,           ///< a spec over 255 bytes, or not UTF-8
  bad_alpn,           ///< an alpn over 255 bytes, or not UTF-8
  bad_net,            ///< net other than mix, tcp and udp
  bad_tls,            ///< tls other than 1 and 2
  idle_timeout_long,  ///< NOW_UDP_IDLE_TIMEOUT above what QUIC can say
};

const std::error_category& category();
inline std::error_code make_error_code(Errc e) {
  return {static_cast<int>(e), category()};
}

}  // namespace portunus::portal::config

template <>
struct std::is_error_code_enum<portunus::portal::config::Errc> : std::true_type {};
