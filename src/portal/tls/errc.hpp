#pragma once

#include <system_error>

namespace portunus::portal::tls {

enum class Errc {
  context_failed = 1,  ///< the library could not be set up with these settings
  handshake_failed,    ///< the peer speaks no TLS that we speak, or gave up; the detail says why
  untrusted,           ///< a client does not believe the certificate
  wrong_alpn,          ///< the server did not select the application protocol
  bad_record,          ///< a TLS record that cannot be, after the handshake
};

const std::error_category& category();
inline std::error_code make_error_code(Errc e) {
  return {static_cast<int>(e), category()};
}

}  // namespace portunus::portal::tls

template <>
struct std::is_error_code_enum<portunus::portal::tls::Errc> : std::true_type {};
