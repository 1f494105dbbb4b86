#include "server/http/api/api.hpp"

#include <array>
#include <utility>

#include "server/http/api/auth_api.hpp"
#include "server/http/api/description.hpp"
#include "server/http/api/error_map.hpp"
#include "server/http/api/routes.hpp"

namespace portunus::server::http::api {
namespace {

struct RouteRow {
  Method method;
  std::string_view path;
  Route route;
  bool during_forced_change = false;  ///< open to a user who has to change the password first
};

struct AuthRouteRow {
  Method method;
  std::string_view path;
  AuthRoute route;
};

constexpr std::array kAuthRoutes = {
    AuthRouteRow{Method::get, "/v1/auth/status", get_auth_status},
    AuthRouteRow{Method::post, "/v1/auth/onboarding", onboard},
    AuthRouteRow{Method::post, "/v1/auth/login", log_in},
    AuthRouteRow{Method::post, "/v1/auth/logout", log_out},
};

constexpr std::array kRoutes = {
    RouteRow{Method::get, "/v1/users/me", get_me, true},
    RouteRow{Method::post, "/v1/users/me/password", change_own_password, true},
    RouteRow{Method::post, "/v1/users/{user_id}/password", reset_password},
    RouteRow{Method::get, "/v1/users", list_users},
    RouteRow{Method::post, "/v1/users", add_user},
    RouteRow{Method::get, "/v1/users/{user_id}", get_user},
    RouteRow{Method::del, "/v1/users/{user_id}", delete_user},
    RouteRow{Method::get, "/v1/users/{user_id}/credentials", list_credentials},
    RouteRow{Method::post, "/v1/users/{user_id}/credentials", issue_credential},
    RouteRow{Method::del, "/v1/users/{user_id}/credentials/{credential_id}", revoke_credential},
    RouteRow{Method::post, "/v1/users/{user_id}/credentials/{credential_id}/rotate",
             rotate_credential},
    RouteRow{Method::get, "/v1/grants", list_grants},
    RouteRow{Method::post, "/v1/grants", add_grant},
    RouteRow{Method::del, "/v1/grants/{grant_id}", delete_grant},
    RouteRow{Method::get, "/v1/clients", list_clients},
    RouteRow{Method::put, "/v1/clients/{client}", set_client_address},
    RouteRow{Method::del, "/v1/clients/{client}", delete_client},
    RouteRow{Method::patch, "/v1/clients/{client}/name", rename_client},
    RouteRow{Method::post, "/v1/clients/{client}/revoke", revoke_client},
    RouteRow{Method::post, "/v1/client-enrollments", enroll_client},
    RouteRow{Method::post, "/v1/clients/{client}/enrollment", enroll_client_again},
    RouteRow{Method::get, "/v1/rules", list_rules},
    RouteRow{Method::post, "/v1/rules", push_rule},
    RouteRow{Method::put, "/v1/rules/{rule_id}", update_rule},
    RouteRow{Method::del, "/v1/rules/{rule_id}", delete_rule},
    RouteRow{Method::get, "/v1/rules/{rule_id}/stats", get_rule_stats},
    RouteRow{Method::get, "/v1/rules/{rule_id}/stats/stream", stream_rule_stats},
    RouteRow{Method::get, "/v1/clients/{client}/owners", list_owners},
    RouteRow{Method::get, "/v1/clients/{client}/owners/{owner_id}/rate-limit", get_owner_caps},
    RouteRow{Method::put, "/v1/clients/{client}/owners/{owner_id}/rate-limit", put_owner_caps},
    RouteRow{Method::del, "/v1/clients/{client}/owners/{owner_id}/rate-limit", delete_owner_caps},
    RouteRow{Method::get, "/v1/users/{user_id}/quotas", list_user_quotas},
    RouteRow{Method::get, "/v1/clients/{client}/quotas", list_client_quotas},
    RouteRow{Method::get, "/v1/users/{user_id}/quotas/{client}/status", get_quota_status},
    RouteRow{Method::put, "/v1/users/{user_id}/quotas/{client}", put_quota},
    RouteRow{Method::patch, "/v1/users/{user_id}/quotas/{client}", patch_quota},
    RouteRow{Method::del, "/v1/users/{user_id}/quotas/{client}", delete_quota},
    RouteRow{Method::get, "/v1/users/{user_id}/traffic", get_user_traffic},
    RouteRow{Method::get, "/v1/clients/{client}/traffic", get_client_traffic},
    RouteRow{Method::get, "/v1/traffic/global", get_global_traffic},
    RouteRow{Method::get, "/v1/settings/advertised-endpoint", get_advertised_endpoint},
    RouteRow{Method::put, "/v1/settings/advertised-endpoint", put_advertised_endpoint},
    RouteRow{Method::get, "/v1/audit", list_audit},
    RouteRow{Method::get, "/v1/metrics", get_metrics},
};

constexpr std::string_view kStubPage =
    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Portunus</title>"
    "</head>\n<body><p>Portunus control plane. This build has no web console; use the command line "
    "or the API below /v1/.</p></body></html>\n";

/// Any path outside /v1/, with any method (http-api 5 and 14).
Response stub_page() {
  Response page = make_response(200, "text/html; charset=utf-8", std::string(kStubPage));
  page.headers.push_back({"Cache-Control", "public, max-age=0, must-revalidate"});
  page.headers.push_back({"X-Frame-Options", "DENY"});
  return page;
}

/// What is thrown, as when memory runs out, costs this request alone and is answered and recorded
/// like any other fault of ours.
template <class T>
async::Task<Result<T>> or_internal(async::Task<Result<T>> work) {
  try {
    co_return co_await std::move(work);
  } catch (...) {
    co_return fail(Errc::internal);
  }
}

/// A refusal for its method says which ones there are.
void add_allow(Response& refusal, const Router::Match& match) {
  if (refusal.status == 405) refusal.headers.push_back({"Allow", match.allow});
}

}  // namespace

Api::Api(Services services, WebOrigin origin)
    : services_(services),
      origin_(std::move(origin)),
      guard_(services.bearer, services.web_auth.sessions(), services.metrics.requests(), origin_,
             services.audit) {
  for (std::size_t i = 0; i < kAuthRoutes.size(); ++i) {
    open_router_.add(kAuthRoutes[i].method, kAuthRoutes[i].path, i);
  }
  for (std::size_t i = 0; i < kRoutes.size(); ++i) {
    router_.add(kRoutes[i].method, kRoutes[i].path, i);
  }
}

async::Task<Response> Api::handle(Request request) {
  if (!request.path.starts_with("/v1/")) co_return stub_page();
  const Router::Match open = open_router_.match(request.method, request.path);
  const Router::Match match = router_.match(request.method, request.path);
  Response response;
  if (request.path == kDescriptionPath) {
    response = describe_api(request.method);
  } else if (open.outcome != Router::Outcome::not_found) {
    response = co_await handle_open(request, open);
  } else if (match.outcome == Router::Outcome::not_found) {
    response = to_response(Errc::not_found);
  } else {
    response = co_await handle_protected(request, match);
  }
  if (!response.header("cache-control")) {
    response.headers.push_back({"Cache-Control", "no-store"});
  }
  co_return response;
}

async::Task<Response> Api::handle_open(const Request& request, const Router::Match& match) {
  AuthCall call{services_, request, origin_};
  Result<Response> result = fail(Errc::method_not_allowed);
  if (match.outcome == Router::Outcome::found) {
    result = co_await or_internal(kAuthRoutes[match.route].route(call));
  }
  guard_.record_open(request, call.who, call.by_session, result ? nullptr : &result.error());
  if (result) co_return std::move(*result);
  Response refusal = to_response(result.error());
  add_allow(refusal, match);
  co_return refusal;
}

async::Task<Response> Api::handle_protected(const Request& request, const Router::Match& match) {
  const Result<auth::Identity> who = co_await or_internal(guard_.authenticate(request));
  if (!who) {
    guard_.record(request, who, &who.error());
    co_return to_response(who.error());
  }
  Result<Response> result = co_await or_internal(dispatch(request, match, *who));
  guard_.record(request, who, result ? nullptr : &result.error());
  if (result) co_return std::move(*result);
  Response refusal = to_response(result.error());
  add_allow(refusal, match);
  co_return refusal;
}

async::Task<Result<Response>> Api::dispatch(const Request& request, const Router::Match& match,
                                            const auth::Identity& who) {
  const bool found = match.outcome == Router::Outcome::found;
  const bool during_forced_change = found && kRoutes[match.route].during_forced_change;
  const Result<> admitted = guard_.admit(request, who, during_forced_change);
  if (!admitted) co_return fail(admitted.error());
  if (match.outcome == Router::Outcome::method_not_allowed) {
    co_return fail(Errc::method_not_allowed);
  }
  const Call call{services_, request, match.params, who};
  co_return co_await kRoutes[match.route].route(call);
}

}  // namespace portunus::server::http::api
