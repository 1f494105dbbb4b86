#pragma once

#include <system_error>

namespace portunus::server::auth {

/// What the identity and client operations refuse; each is the contract's code of the same name.
enum class Errc {
  bootstrap_required = 1,  ///< no enabled superadmin exists
  unauthenticated,         ///< no usable credentials were sent
  credential_invalid,      ///< well-formed but unknown or revoked
  user_disabled,
  role_required,
  not_owner,  ///< it belongs to another user
  already_bootstrapped,
  invalid_display_name,
  password_too_short,
  password_too_long,
  password_hash_failed,
  invalid_name,
  invalid_client_address,
  invalid_enrollment_ttl,
  client_already_exists,
  client_not_found,
  client_not_revoked,
  endpoint_invalid,
  endpoint_not_in_cert_san,
  enrollment_invalid,  ///< redeeming: empty, too long or unknown code
  enrollment_used,
  enrollment_expired,
  missing_token,  ///< control channel: no bearer
  malformed_token,
  token_not_found,
  token_revoked,
  password_queue_full,  ///< answered as rate_limited; the detail is the seconds to wait
};

const std::error_category& category();
inline std::error_code make_error_code(Errc e) {
  return {static_cast<int>(e), category()};
}

}  // namespace portunus::server::auth

template <>
struct std::is_error_code_enum<portunus::server::auth::Errc> : std::true_type {};
