#pragma once

#include <system_error>

namespace portunus::server::rules {

/// What the rule operations refuse; each is the contract's code of the same name.
enum class Errc {
  not_available = 1,  ///< asks for a feature this release does not have
  invalid_name,
  invalid_protocol,
  range_invalid,
  target_port_invalid,  ///< code target_invalid_port
  invalid_target_host,
  invalid_target_host_too_long,
  invalid_target_host_label_too_long,
  invalid_target_host_label_hyphen,
  rule_shape_missing,
  rule_shape_conflict,
  client_not_connected,
  client_not_found,
  client_not_granted,  ///< no grant of the caller names the client; superadmins need none
  port_in_use,
  activation_failed,  ///< detail = the client's reason
  ack_timeout,
  rule_not_found,
  not_owner,
};

const std::error_category& category();
inline std::error_code make_error_code(Errc e) {
  return {static_cast<int>(e), category()};
}

}  // namespace portunus::server::rules

template <>
struct std::is_error_code_enum<portunus::server::rules::Errc> : std::true_type {};
