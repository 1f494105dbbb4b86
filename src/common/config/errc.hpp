#pragma once

#include <system_error>

namespace portunus::config {

enum class Errc {
  config_invalid = 1,  ///< server.toml: not TOML, an unknown key, a wrong type or value
  key_mode,            ///< the private key is readable for others than its owner
  incomplete_pair,     ///< one file of an operator's TLS pair is missing
};

const std::error_category& category();
inline std::error_code make_error_code(Errc e) {
  return {static_cast<int>(e), category()};
}

}  // namespace portunus::config

template <>
struct std::is_error_code_enum<portunus::config::Errc> : std::true_type {};
