#include "server/http/api/api.hpp"

#include <array>
#include <utility>

#include "server/http/api/description.hpp"
#include "server/http/api/error_map.hpp"
#include "server/http/api/routes.hpp"

namespace portunus::server::http::api {
namespace {

struct RouteRow {
  Method method;
  std::string_view path;
  Route route;
};

constexpr std::array kRoutes = {
    RouteRow{Method::get, "/v1/users/me", get_me},
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

}  // namespace

Api::Api(Services services)
    : services_(services), guard_(services.bearer, services.metrics.requests()) {
  for (std::size_t i = 0; i < kRoutes.size(); ++i) {
    router_.add(kRoutes[i].method, kRoutes[i].path, i);
  }
}

async::Task<Response> Api::handle(Request request) {
  if (!request.path.starts_with("/v1/")) co_return stub_page();
  const Router::Match match = router_.match(request.method, request.path);
  Response response;
  if (request.path == kDescriptionPath) {
    response = describe_api(request.method);
  } else if (match.outcome == Router::Outcome::not_found) {
    response = to_response(Errc::not_found);
  } else {
    response = co_await handle_protected(request, match);
  }
  response.headers.push_back({"Cache-Control", "no-store"});
  co_return response;
}

async::Task<Response> Api::handle_protected(const Request& request, const Router::Match& match) {
  const Result<auth::Identity> who = co_await guard_.authenticate(request);
  if (!who) {
    guard_.record(request, who, &who.error());
    co_return to_response(who.error());
  }
  Result<Response> result = co_await dispatch(request, match, *who);
  guard_.record(request, who, result ? nullptr : &result.error());
  if (result) co_return std::move(*result);
  Response refusal = to_response(result.error());
  if (match.outcome == Router::Outcome::method_not_allowed) {
    refusal.headers.push_back({"Allow", match.allow});
  }
  co_return refusal;
}

async::Task<Result<Response>> Api::dispatch(const Request& request, const Router::Match& match,
                                            const auth::Identity& who) {
  if (match.outcome == Router::Outcome::method_not_allowed) {
    co_return fail(Errc::method_not_allowed);
  }
  const Call call{services_, request, match.params, who};
  co_return co_await kRoutes[match.route].route(call);
}

}  // namespace portunus::server::http::api
