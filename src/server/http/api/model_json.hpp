#pragma once

#include <span>
#include <string>

#include "server/auth/bearer_auth.hpp"
#include "server/auth/client_service.hpp"
#include "server/rules/rule_service.hpp"
#include "server/store/rows.hpp"

namespace portunus::server::http::api {

// The JSON shapes of http-api 6 to 9, as text.

/// {"user_id","role","display_name"}
std::string identity_json(const auth::Identity& identity);
std::string enrollment_json(const auth::IssuedEnrollment& issued);
std::string client_json(const auth::ClientView& client);
std::string clients_json(std::span<const auth::ClientView> clients);
/// The 201 answer of a push.
std::string pushed_json(const store::RuleRow& rule);
std::string rules_json(std::span<const store::RuleRow> rules);
/// `per_target`: the key is there, empty for a single target. Per-port detail exists for ranges
/// only, so a rule of one port never has it.
std::string stats_json(const store::RuleRow& rule, const rules::RuleNumbers& numbers,
                       bool per_target);

/// "superadmin" or "user".
std::string_view role_name(store::Role role);

}  // namespace portunus::server::http::api
