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
    {CommandGroup::client, 8, "client_not_found"},
    {CommandGroup::people, 2, "user_already_exists"},
    {CommandGroup::people, 2, "cannot_remove_self"},
    {CommandGroup::people, 2, "last_superadmin"},
    {CommandGroup::people, 3, "invalid_user_id"},
    {CommandGroup::people, 3, "invalid_display_name"},
    {CommandGroup::people, 3, "reserved_user_id"},
    {CommandGroup::people, 3, "invalid_port_range"},
    {CommandGroup::people, 3, "empty_protocol_set"},
    {CommandGroup::people, 3, "invalid_client"},
    {CommandGroup::people, 3, "initial_password_required"},
    {CommandGroup::people, 3, "password_too_short"},
    {CommandGroup::people, 3, "password_too_long"},
    {CommandGroup::people, 8, "user_not_found"},
    {CommandGroup::people, 8, "credential_not_found"},
    {CommandGroup::people, 8, "grant_not_found"},
    {CommandGroup::owner_cap, 3, "rate_limit_unsupported_by_client"},
    {CommandGroup::owner_cap, 8, "owner_rate_limit_not_found"},
});

/// Who may not pass; the same for commands of clients and of people.
struct DenialRow {
  int exit;
  std::string_view code;
};
constexpr auto kDenials = std::to_array<DenialRow>({
    {4, "unauthenticated"},
    {4, "credential_invalid"},
    {4, "user_disabled"},
    {5, "client_not_granted"},
    {5, "port_outside_grant"},
    {5, "protocol_not_granted"},
    {5, "not_owner"},
    {5, "role_required"},
    {6, "bootstrap_required"},
});

}  // namespace

int exit_code(CommandGroup group, std::string_view code) {
  // The one row of the contract that names a family of codes.
  if (group == CommandGroup::owner_cap && code.starts_with("validation.")) return kExitInvalid;
  for (const Row& row : kRows) {
    if (row.group == group && row.code == code) return row.exit;
  }
  if (group == CommandGroup::client || group == CommandGroup::people) {
    for (const DenialRow& row : kDenials) {
      if (row.code == code) return row.exit;
    }
  }
  return kExitFailure;
}

}  // namespace portunus::server::cli
