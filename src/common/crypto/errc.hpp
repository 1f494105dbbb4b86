#pragma once

#include <system_error>

namespace portunus::crypto {

enum class Errc {
  bad_certificate = 1,  ///< not a PEM certificate
  bad_key,              ///< not a PEM private key
  pair_mismatch,        ///< the key does not belong to the certificate
  generation_failed,    ///< the library could not make a key or a certificate
};

const std::error_category& category();
inline std::error_code make_error_code(Errc e) {
  return {static_cast<int>(e), category()};
}

}  // namespace portunus::crypto

template <>
struct std::is_error_code_enum<portunus::crypto::Errc> : std::true_type {};
