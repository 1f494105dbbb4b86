#pragma once

#include <system_error>

namespace portunus::portal::relay {

enum class Errc {
  truncated = 1,  ///< the transport ended without the end that its protocol asks for
  aborted,        ///< the stream was aborted on this side
  no_memory,      ///< a buffer of the configured size cannot be had
  no_address,     ///< the name has no address, or none of the family of `dial`
  lookup_failed,  ///< the name could not be looked up
  dial_timeout,   ///< no connection within the time for dialling
};

const std::error_category& category();
inline std::error_code make_error_code(Errc e) {
  return {static_cast<int>(e), category()};
}

}  // namespace portunus::portal::relay

template <>
struct std::is_error_code_enum<portunus::portal::relay::Errc> : std::true_type {};
