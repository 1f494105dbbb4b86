#pragma once

#include <system_error>

namespace portunus::client::agent {

/// The messages of the bundle_ and uri_ codes are those of cli-and-config section 7.
enum class Errc {
  timed_out = 1,      ///< a step of the connection set-up took longer than its budget
  connect_failed,     ///< no address of the server took the TCP connection
  tls_failed,         ///< the TLS handshake broke
  pin_mismatch,       ///< the server showed another certificate than the pinned one
  no_http2,           ///< the server did not select HTTP/2
  no_descriptors,     ///< the kernel gave no socket
  bad_endpoint,       ///< not host:port
  bundle_unreadable,  ///< the file could not be read
  bundle_malformed,   ///< not JSON, or a member is missing, of the wrong type or out of its grammar
  bundle_version,     ///< a version this program does not know
  bundle_pin,         ///< the certificate in the bundle does not hash to the pin
  bundle_unwritable,  ///< the file could not be written
  uri_scheme,         ///< not portunus://
  uri_query,          ///< no "?"
  uri_path,           ///< not host:port/enroll
  uri_pair,           ///< a query pair without "="
  uri_field,          ///< a required field is absent
  uri_pin,            ///< not sha256: and 64 hex digits
  uri_code,           ///< not 1..256 visible characters
  uri_certificate,    ///< not unpadded base64url of a PEM certificate
};

const std::error_category& category();
inline std::error_code make_error_code(Errc e) {
  return {static_cast<int>(e), category()};
}

}  // namespace portunus::client::agent

template <>
struct std::is_error_code_enum<portunus::client::agent::Errc> : std::true_type {};
