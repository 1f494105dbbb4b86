#include <utility>

#include "server/http/api/guard.hpp"
#include "server/http/api/routes.hpp"
#include "server/http/api/traffic_json.hpp"

namespace portunus::server::http::api {

async::Task<Result<Response>> get_advertised_endpoint(const Call& call) {
  if (const auto allowed = require_superadmin(call.who); !allowed) co_return fail(allowed.error());
  const Result<auth::EndpointView> view = co_await call.services.endpoint.view();
  if (!view) co_return fail(view.error());
  co_return json_response(endpoint_json(*view));
}

async::Task<Result<Response>> put_advertised_endpoint(const Call& call) {
  const Result<std::string> body = co_await call.json_body();
  if (!body) co_return fail(body.error());
  Result<std::optional<std::string>> wanted = decode_endpoint(*body);
  if (!wanted) co_return fail(wanted.error());
  if (const auto allowed = require_superadmin(call.who); !allowed) co_return fail(allowed.error());
  const Result<auth::EndpointView> view = co_await call.services.endpoint.set(std::move(*wanted));
  if (!view) co_return fail(view.error());
  co_return json_response(endpoint_json(*view));
}

}  // namespace portunus::server::http::api
