#pragma once

#include <system_error>

namespace portunus::portal::server {

enum class Errc {
  host_unresolved = 1,  ///< the host of the URL has no address
  bind_failed,          ///< one of the selected sockets cannot be bound
};

const std::error_category& category();
inline std::error_code make_error_code(Errc e) {
  return {static_cast<int>(e), category()};
}

}  // namespace portunus::portal::server

template <>
struct std::is_error_code_enum<portunus::portal::server::Errc> : std::true_type {};
