#include "server/http/api/web_auth_json.hpp"

#include <utility>

#include "server/http/api/json_text.hpp"
#include "server/http/api/model_json.hpp"
#include "server/http/api/object_reader.hpp"

namespace portunus::server::http::api {
namespace {

using Json = AnswerJson;

Secret required_secret(ObjectReader& reader, const char* key) {
  return Secret(reader.required(key, reader.text(key)));
}

}  // namespace

Result<web_auth::OnboardingRequest> decode_onboarding(std::string_view body) {
  ObjectReader reader(body);
  web_auth::OnboardingRequest out;
  out.user_id = reader.required("user_id", reader.text("user_id"));
  out.display_name = reader.required("display_name", reader.text("display_name"));
  out.password = required_secret(reader, "password");
  out.password_confirm = required_secret(reader, "password_confirm");
  out.setup_token = Secret(reader.text("setup_token").value_or(""));
  return reader.finish(std::move(out));
}

Result<web_auth::LoginRequest> decode_login(std::string_view body) {
  ObjectReader reader(body);
  web_auth::LoginRequest out;
  out.user_id = reader.required("user_id", reader.text("user_id"));
  out.password = required_secret(reader, "password");
  return reader.finish(std::move(out));
}

Result<web_auth::PasswordChange> decode_password_change(std::string_view body) {
  ObjectReader reader(body);
  web_auth::PasswordChange out;
  out.current = required_secret(reader, "current_password");
  out.wanted = required_secret(reader, "new_password");
  out.wanted_confirm = required_secret(reader, "new_password_confirm");
  return reader.finish(std::move(out));
}

Result<web_auth::ResetRequest> decode_password_reset(std::string_view body, std::string user_id) {
  ObjectReader reader(body);
  web_auth::ResetRequest out;
  out.user_id = std::move(user_id);
  if (auto password = reader.text("new_password")) out.password = Secret(std::move(*password));
  out.temporary = reader.flag("temporary_password").value_or(false);
  out.keep_api_tokens = reader.flag("keep_api_tokens").value_or(false);
  return reader.finish(std::move(out));
}

std::string auth_status_json(bool onboarding_required) {
  return write(Json{{"onboarding_required", onboarding_required}});
}

std::string onboarded_json(const auth::Identity& who) {
  return write(Json{
      {"user_id", who.user_id}, {"display_name", who.display_name}, {"role", role_name(who.role)}});
}

std::string logged_in_json(bool password_change_required) {
  return write(Json{{"password_change_required", password_change_required}});
}

std::string password_reset_json(const web_auth::PasswordReset& reset) {
  Json json{{"user_id", reset.user_id},
            {"sessions_revoked", reset.sessions_revoked},
            {"api_tokens_revoked", reset.api_tokens_revoked}};
  if (reset.generated) json["temporary_password"] = reset.generated->reveal();
  return write(json);
}

}  // namespace portunus::server::http::api
