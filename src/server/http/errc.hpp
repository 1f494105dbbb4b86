#pragma once

#include <system_error>

namespace portunus::server::http {

/// Why a request's body could not be had.
enum class Errc {
  body_too_large = 1,  ///< over HttpOptions::body_limit
  body_malformed,      ///< broken chunking or the peer stopped sending
  body_timeout,        ///< not complete in time
  bodies_too_large,    ///< over HttpOptions::bodies_limit with those of others; detail: seconds
};

const std::error_category& category();
inline std::error_code make_error_code(Errc e) {
  return {static_cast<int>(e), category()};
}

}  // namespace portunus::server::http

template <>
struct std::is_error_code_enum<portunus::server::http::Errc> : std::true_type {};
