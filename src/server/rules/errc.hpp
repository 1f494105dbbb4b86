#pragma once

#include <system_error>

namespace portunus::server::rules {

/// What the rule operations refuse; each is the contract's code of the same name, some of them with
/// a prefix ("validation.", "conflict.") that their message has. A client that cannot do what a
/// stored rule needs makes the rule fail with that message as its reason.
enum class Errc {
  invalid_name = 1,
  invalid_protocol,
  range_invalid,
  exceeds_cap,  ///< a range of more ports than range_rule_max_ports
  rule_shape_missing,
  rule_shape_conflict,
  invalid_target_host,
  invalid_target_host_too_long,
  invalid_target_host_label_too_long,
  invalid_target_host_label_hyphen,
  targets_empty,
  targets_too_many,
  targets_duplicate,
  target_invalid_host,
  target_invalid_port,
  health_check_interval_out_of_range,
  sni_on_unsupported_rule,
  sni_pattern_malformed,
  proxy_protocol_invalid,
  proxy_protocol_on_unsupported_rule,
  rate_limit_burst_unsupported,
  rate_limit_cap_zero,
  rate_limit_burst_without_rate,
  rate_limit_burst_range,
  rate_limit_on_legacy_shape,
  rule_update_shape_mismatch,
  client_not_connected,
  client_lost,  ///< client_not_connected again, of a change that is stored already (http-api 8.6)
  client_not_found,
  client_not_granted,    ///< no grant of the caller is for the client; superadmins need none
  protocol_not_granted,  ///< no grant for the client has the protocol
  port_outside_grant,    ///< and none of those the whole listen range
  unsupported_protocol,  ///< the client has not announced UDP
  multi_target_unsupported_by_client,
  sni_unsupported_by_client,
  proxy_protocol_unsupported_by_client,
  rate_limit_unsupported_by_client,
  port_in_use,
  sni_route_duplicate,
  sni_fallback_duplicate,
  legacy_to_sni_unsupported,
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
