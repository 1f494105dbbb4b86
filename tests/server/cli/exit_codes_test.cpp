#include "server/cli/exit_codes.hpp"

#include <gtest/gtest.h>

#include <string>

namespace portunus::server::cli {
namespace {

void expect_row(CommandGroup group, int exit, std::initializer_list<const char*> codes) {
  for (const char* code : codes) EXPECT_EQ(exit_code(group, code), exit) << code;
}

TEST(ExitCodes, RuleCommands) {
  constexpr auto kGroup = CommandGroup::rule;
  expect_row(kGroup, 2, {"client_already_exists"});
  expect_row(
      kGroup, 3,
      {"invalid_name", "invalid_protocol", "invalid_target", "exceeds_cap", "range_invalid",
       "range_inverted", "mismatched_range", "invalid_target_host", "invalid_target_host_too_long",
       "invalid_target_host_label_too_long", "invalid_target_host_label_hyphen",
       "unsupported_protocol", "proxy_protocol_unsupported_by_client",
       "validation.proxy_protocol_invalid", "validation.proxy_protocol_on_unsupported_rule"});
  expect_row(kGroup, 4, {"client_not_connected"});
  expect_row(kGroup, 5, {"port_in_use"});
  expect_row(kGroup, 6, {"activation_failed"});
  expect_row(kGroup, 7, {"ack_timeout"});
  expect_row(kGroup, 8, {"rule_not_found"});
  expect_row(kGroup, 1,
             {"unauthenticated", "credential_invalid", "role_required", "not_owner",
              "client_not_granted", "bootstrap_required", "client_not_found", "not_available",
              "validation.sni_on_unsupported_rule", "targets_empty", "internal", ""});
}

TEST(ExitCodes, ClientCommands) {
  constexpr auto kGroup = CommandGroup::client;
  expect_row(kGroup, 2, {"client_already_exists"});
  expect_row(kGroup, 3,
             {"invalid_name", "invalid_client_address", "invalid_enrollment_ttl",
              "endpoint_invalid", "endpoint_not_in_cert_san"});
  expect_row(kGroup, 4, {"unauthenticated", "credential_invalid", "user_disabled"});
  expect_row(kGroup, 5,
             {"client_not_granted", "port_outside_grant", "protocol_not_granted", "not_owner",
              "role_required"});
  expect_row(kGroup, 6, {"bootstrap_required"});
  expect_row(kGroup, 8, {"client_not_found"});
  expect_row(kGroup, 1, {"rule_not_found", "port_in_use", "store_error", "config_invalid", ""});
}

TEST(ExitCodes, CLI_2_5_user_credential_and_grant_commands) {
  constexpr auto kGroup = CommandGroup::people;
  expect_row(kGroup, 2, {"user_already_exists", "cannot_remove_self", "last_superadmin"});
  expect_row(kGroup, 3,
             {"invalid_user_id", "invalid_display_name", "reserved_user_id", "invalid_port_range",
              "empty_protocol_set", "invalid_client", "initial_password_required",
              "password_too_short", "password_too_long"});
  expect_row(kGroup, 4, {"unauthenticated", "credential_invalid", "user_disabled"});
  expect_row(kGroup, 5,
             {"client_not_granted", "port_outside_grant", "protocol_not_granted", "not_owner",
              "role_required"});
  expect_row(kGroup, 6, {"bootstrap_required"});
  expect_row(kGroup, 8, {"user_not_found", "credential_not_found", "grant_not_found"});
  expect_row(kGroup, 1, {"client_not_found", "rule_not_found", "invalid_body", "store_error", ""});
}

}  // namespace
}  // namespace portunus::server::cli
