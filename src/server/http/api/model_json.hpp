#pragma once

#include <string>

#include "server/auth/bearer_auth.hpp"
#include "server/auth/client_service.hpp"
#include "server/store/rows.hpp"

namespace portunus::server::http::api {

// The JSON shapes of users and clients (http-api 6, 7), as text. Rules are in rule_json.

/// {"user_id","role","display_name"}
std::string identity_json(const auth::Identity& identity);
std::string enrollment_json(const auth::IssuedEnrollment& issued);
std::string client_json(const auth::ClientView& client);

/// "superadmin" or "user".
std::string_view role_name(store::Role role);

}  // namespace portunus::server::http::api
