#pragma once

#include <system_error>

namespace portunus::server::audit {

/// What a query of the audit log is refused for; each is the contract's code of the same name.
enum class Errc {
  invalid_limit = 1,
  invalid_outcome,
  invalid_timestamp,
  invalid_time_range,
  invalid_cursor,
};

const std::error_category& category();
inline std::error_code make_error_code(Errc e) {
  return {static_cast<int>(e), category()};
}

}  // namespace portunus::server::audit

template <>
struct std::is_error_code_enum<portunus::server::audit::Errc> : std::true_type {};
