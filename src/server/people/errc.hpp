#pragma once

#include <system_error>

namespace portunus::server::people {

/// What the operations on users, credentials and grants refuse; each is the contract's code of the
/// same name unless said otherwise.
enum class Errc {
  invalid_user_id = 1,
  reserved_user_id,  ///< it begins with "_"
  invalid_display_name,
  unknown_role,               ///< code role_required
  initial_password_required,  ///< a change is to be forced of a password that is not there
  user_already_exists,
  user_not_found,
  cannot_remove_self,
  last_superadmin,
  credential_not_found,
  invalid_client,    ///< a grant's client is neither "*" nor a name nor an id
  client_not_found,  ///< an id that nobody has
  invalid_port_range,
  empty_protocol_set,  ///< or an unknown word in it
  grant_not_found,
};

const std::error_category& category();
inline std::error_code make_error_code(Errc e) {
  return {static_cast<int>(e), category()};
}

}  // namespace portunus::server::people

template <>
struct std::is_error_code_enum<portunus::server::people::Errc> : std::true_type {};
