#include <string>
#include <utility>

#include "server/audit/entries.hpp"
#include "server/http/api/auth_api.hpp"
#include "server/http/api/guard.hpp"
#include "server/http/api/model_json.hpp"
#include "server/http/api/routes.hpp"
#include "server/http/api/web_auth_json.hpp"
#include "server/web_auth/password_reset.hpp"

namespace portunus::server::http::api {

async::Task<Result<Response>> change_own_password(const Call& call) {
  const Result<std::string> body = co_await call.json_body();
  if (!body) co_return fail(body.error());
  Result<web_auth::PasswordChange> change = decode_password_change(*body);
  if (!change) co_return fail(change.error());
  const Result<> done = co_await call.services.web_auth.change_password(
      call.who.user_id, std::move(*change), peer_of(call.request));
  if (!done) co_return fail(done.error());
  co_return no_content();
}

async::Task<Result<Response>> reset_password(const Call& call) {
  const Result<std::string> body = co_await call.json_body();
  if (!body) co_return fail(body.error());
  Result<web_auth::ResetRequest> wanted = decode_password_reset(*body, call.user_id());
  if (!wanted) co_return fail(wanted.error());
  if (const auto allowed = require_superadmin(call.who); !allowed) co_return fail(allowed.error());
  const auto done =
      co_await call.services.web_auth.reset_password(std::move(*wanted), peer_of(call.request));
  if (!done) co_return fail(done.error());
  call.services.audit.record(audit::event_entry(
      call.who.user_id, std::string(role_name(call.who.role)), "operator.password_reset",
      {"user", done->user_id}, web_auth::reset_details(*done, false)));
  co_return json_response(password_reset_json(*done));
}

}  // namespace portunus::server::http::api
