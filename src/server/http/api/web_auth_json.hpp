#pragma once

#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "server/web_auth/web_auth.hpp"

namespace portunus::server::http::api {

// Bodies and answers of http-api 5.1 and of the two password calls of 6.1. Decoders as in
// request_json.

Result<web_auth::OnboardingRequest> decode_onboarding(std::string_view body);
Result<web_auth::LoginRequest> decode_login(std::string_view body);
Result<web_auth::PasswordChange> decode_password_change(std::string_view body);
Result<web_auth::ResetRequest> decode_password_reset(std::string_view body, std::string user_id);

/// {"onboarding_required": bool}
std::string auth_status_json(bool onboarding_required);
/// {"user_id","display_name","role"}
std::string onboarded_json(const auth::Identity& who);
/// {"password_change_required": bool}
std::string logged_in_json(bool password_change_required);
/// With temporary_password only when one was generated.
std::string password_reset_json(const web_auth::PasswordReset& reset);

}  // namespace portunus::server::http::api
