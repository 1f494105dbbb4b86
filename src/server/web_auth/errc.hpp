#pragma once

#include <system_error>

namespace portunus::server::web_auth {

/// What signing in, onboarding and passwords refuse; each is the contract's code of the same name.
/// Refusals they share with API tokens are auth::Errc.
enum class Errc {
  invalid_login = 1,
  rate_limited,  ///< the detail is the whole seconds to wait, at least 1
  setup_token_required,
  setup_token_invalid,
  invalid_user_id,
  reserved_user_id,
  password_mismatch,
  user_already_exists,
  user_not_found,
};

const std::error_category& category();
inline std::error_code make_error_code(Errc e) {
  return {static_cast<int>(e), category()};
}

}  // namespace portunus::server::web_auth

template <>
struct std::is_error_code_enum<portunus::server::web_auth::Errc> : std::true_type {};
