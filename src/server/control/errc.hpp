#pragma once

#include <system_error>

namespace portunus::server::control {

/// Why the control port does not come up, apart from what the system or the TLS pair says.
enum class Errc {
  grpc_start_failed = 1,  ///< gRPC refused its configuration
};

const std::error_category& category();
inline std::error_code make_error_code(Errc e) {
  return {static_cast<int>(e), category()};
}

}  // namespace portunus::server::control

template <>
struct std::is_error_code_enum<portunus::server::control::Errc> : std::true_type {};
