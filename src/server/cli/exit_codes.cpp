#include "server/cli/exit_codes.hpp"

#include <array>

namespace portunus::server::cli {
namespace {

struct Row {
  CommandGroup group;
  int exit;
  std::string_view code;
};

constexpr auto kRows = std::to_array<Row>({
    {CommandGroup::rule, 2, "client_already_exists"},
    {CommandGroup::rule, 3, "invalid_name"},
    {CommandGroup::rule, 3, "invalid_protocol"},
    {CommandGroup::rule, 3, "invalid_target"},
    {CommandGroup::rule, 3, "exceeds_cap"},
    {CommandGroup::rule, 3, "range_invalid"},
    {CommandGroup::rule, 3, "range_inverted"},
    {CommandGroup::rule, 3, "mismatched_range"},
    {CommandGroup::rule, 3, "invalid_target_host"},
    {CommandGroup::rule, 3, "invalid_target_host_too_long"},
    {CommandGroup::rule, 3, "invalid_target_host_label_too_long"},
    {CommandGroup::rule, 3, "invalid_target_host_label_hyphen"},
    {CommandGroup::rule, 3, "unsupported_protocol"},
    {CommandGroup::rule, 3, "proxy_protocol_unsupported_by_client"},
    {CommandGroup::rule, 3, "validation.proxy_protocol_invalid"},
    {CommandGroup::rule, 3, "validation.proxy_protocol_on_unsupported_rule"},
    {CommandGroup::rule, 4, "client_not_connected"},
    {CommandGroup::rule, 5, "port_in_use"},
    {CommandGroup::rule, 6, "activation_failed"},
    {CommandGroup::rule, 7, "ack_timeout"},
    {CommandGroup::rule, 8, "rule_not_found"},
    {CommandGroup::client, 2, "client_already_exists"},
    {CommandGroup::client, 3, "invalid_name"},
    {CommandGroup::client, 3, "invalid_client_address"},
    {CommandGroup::client, 3, "invalid_enrollment_ttl"},
    {CommandGroup::client, 3, "endpoint_invalid"},
    {CommandGroup::client, 3, "endpoint_not_in_cert_san"},
    {CommandGroup::client, 4, "unauthenticated"},
    {CommandGroup::client, 4, "credential_invalid"},
    {CommandGroup::client, 4, "user_disabled"},
    {CommandGroup::client, 5, "client_not_granted"},
    {CommandGroup::client, 5, "port_outside_grant"},
    {CommandGroup::client, 5, "protocol_not_granted"},
    {CommandGroup::client, 5, "not_owner"},
    {CommandGroup::client, 5, "role_required"},
    {CommandGroup::client, 6, "bootstrap_required"},
    {CommandGroup::client, 8, "client_not_found"},
    {CommandGroup::owner_cap, 3, "rate_limit_unsupported_by_client"},
    {CommandGroup::owner_cap, 8, "owner_rate_limit_not_found"},
});

}  // namespace

int exit_code(CommandGroup group, std::string_view code) {
  // The one row of the contract that names a family of codes.
  if (group == CommandGroup::owner_cap && code.starts_with("validation.")) return kExitInvalid;
  for (const Row& row : kRows) {
    if (row.group == group && row.code == code) return row.exit;
  }
  return kExitFailure;
}

}  // namespace portunus::server::cli
