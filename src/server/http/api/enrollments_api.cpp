#include <utility>

#include "server/http/api/guard.hpp"
#include "server/http/api/model_json.hpp"
#include "server/http/api/request_json.hpp"
#include "server/http/api/routes.hpp"

namespace portunus::server::http::api {
namespace {

std::optional<std::string> host_of(const Request& request) {
  const auto host = request.header("host");
  if (!host) return std::nullopt;
  return std::string(*host);
}

}  // namespace

async::Task<Result<Response>> enroll_client(const Call& call) {
  const Result<std::string> body = co_await call.json_body();
  if (!body) co_return fail(body.error());
  Result<EnrollBody> asked = decode_enroll(*body);
  if (!asked) co_return fail(asked.error());
  if (const auto allowed = require_superadmin(call.who); !allowed) co_return fail(allowed.error());
  const auto issued = co_await call.services.clients.enroll_new(
      std::move(asked->name), std::move(asked->address), asked->ttl_secs, host_of(call.request));
  if (!issued) co_return fail(issued.error());
  co_return json_response(enrollment_json(*issued), 201);
}

async::Task<Result<Response>> enroll_client_again(const Call& call) {
  const Result<std::string> body = co_await call.json_body();
  if (!body) co_return fail(body.error());
  const Result<std::int64_t> ttl_secs = decode_ttl(*body);
  if (!ttl_secs) co_return fail(ttl_secs.error());
  if (const auto allowed = require_superadmin(call.who); !allowed) co_return fail(allowed.error());
  const auto issued =
      co_await call.services.clients.enroll_again(call.client(), *ttl_secs, host_of(call.request));
  if (!issued) co_return fail(issued.error());
  co_return json_response(enrollment_json(*issued), 201);
}

}  // namespace portunus::server::http::api
