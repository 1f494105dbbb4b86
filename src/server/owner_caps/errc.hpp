#pragma once

#include <system_error>

namespace portunus::server::owner_caps {

/// What the owner-cap operations refuse; the contract's code is that of the name unless said
/// otherwise.
enum class Errc {
  client_name_invalid = 1,  ///< code validation.client_name_invalid
  client_not_found,
  invalid_user_id,        ///< nobody can be the owner
  burst_unsupported,      ///< code validation.rate_limit_burst_unsupported
  cap_zero,               ///< code validation.rate_limit_cap_zero
  burst_without_rate,     ///< code validation.rate_limit_burst_without_rate
  burst_range,            ///< code validation.rate_limit_burst_range
  unsupported_by_client,  ///< code rate_limit_unsupported_by_client
  owner_rate_limit_not_found,
};

const std::error_category& category();
inline std::error_code make_error_code(Errc e) {
  return {static_cast<int>(e), category()};
}

}  // namespace portunus::server::owner_caps

template <>
struct std::is_error_code_enum<portunus::server::owner_caps::Errc> : std::true_type {};
