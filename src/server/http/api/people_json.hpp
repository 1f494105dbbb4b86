#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "server/people/people.hpp"

namespace portunus::server::http::api {

// Bodies and answers about users, credentials and grants (http-api 6), as text. Faults of a body
// are those of request_json.

Result<people::NewUser> decode_new_user(std::string_view body);
/// {"label": str?}
Result<std::optional<std::string>> decode_label(std::string_view body);
Result<people::NewGrant> decode_new_grant(std::string_view body);

std::string user_json(const store::UserSummary& user);
/// {"user_id","display_name","role"}
std::string new_user_json(const store::UserRow& user);
std::string removed_user_json(const people::RemovedUser& removed);

std::string credential_json(const store::CredentialRow& credential);
/// Holds the token: never log it.
std::string issued_credential_json(const people::IssuedCredential& issued);

std::string grant_json(const store::GrantRow& grant);
std::string revoked_grant_json(const people::RevokedGrant& revoked);

}  // namespace portunus::server::http::api
