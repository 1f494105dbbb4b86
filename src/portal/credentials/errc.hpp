#pragma once

#include <system_error>

namespace portunus::portal::credentials {

enum class Errc {
  unreadable_certificate = 1,  ///< the file of `crt` cannot be read
  unreadable_key,              ///< the file of `key` cannot be read
};

const std::error_category& category();
inline std::error_code make_error_code(Errc e) {
  return {static_cast<int>(e), category()};
}

}  // namespace portunus::portal::credentials

template <>
struct std::is_error_code_enum<portunus::portal::credentials::Errc> : std::true_type {};
