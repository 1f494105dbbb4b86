#include "server/http/api/auth_api.hpp"

#include <utility>

#include "server/auth/errc.hpp"
#include "server/http/api/session_cookie.hpp"
#include "server/http/api/web_auth_json.hpp"

namespace portunus::server::http::api {

web_auth::Peer peer_of(const Request& request) {
  web_auth::Peer peer{.address = request.peer.address().text(), .user_agent = std::nullopt};
  if (const auto agent = request.header("user-agent")) peer.user_agent = std::string(*agent);
  return peer;
}

async::Task<Result<Response>> get_auth_status(AuthCall& call) {
  const Result<bool> required = co_await call.services.web_auth.onboarding_required();
  if (!required) co_return fail(required.error());
  co_return json_response(auth_status_json(*required));
}

async::Task<Result<Response>> onboard(AuthCall& call) {
  const Result<std::string> body = co_await json_body(call.request);
  if (!body) co_return fail(body.error());
  Result<web_auth::OnboardingRequest> wanted = decode_onboarding(*body);
  if (!wanted) co_return fail(wanted.error());
  const auto made =
      co_await call.services.web_auth.onboard(std::move(*wanted), peer_of(call.request));
  if (!made) co_return fail(made.error());
  call.who = *made;
  co_return json_response(onboarded_json(*made), 201);
}

async::Task<Result<Response>> log_in(AuthCall& call) {
  const Result<std::string> body = co_await json_body(call.request);
  if (!body) co_return fail(body.error());
  Result<web_auth::LoginRequest> wanted = decode_login(*body);
  if (!wanted) co_return fail(wanted.error());
  const auto done =
      co_await call.services.web_auth.log_in(std::move(*wanted), peer_of(call.request));
  if (!done) co_return fail(done.error());
  call.who = done->who;
  Response response = json_response(logged_in_json(done->who.password_change_required));
  set_session_cookie(response, done->cookie, call.origin.secure());
  co_return response;
}

async::Task<Result<Response>> log_out(AuthCall& call) {
  std::optional<Secret> cookie = session_cookie(call.request);
  if (!cookie) co_return fail({auth::Errc::unauthenticated, "no session cookie"});
  call.by_session = true;
  if (const auto own = check_csrf(call.request, call.origin); !own) co_return fail(own.error());
  const auto ended = co_await call.services.web_auth.sessions().revoke(std::move(*cookie));
  if (!ended) co_return fail(ended.error());
  call.who = *ended;
  Response response = no_content();
  clear_session_cookie(response, call.origin.secure());
  co_return response;
}

}  // namespace portunus::server::http::api
