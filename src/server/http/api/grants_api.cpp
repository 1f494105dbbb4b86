#include <string>
#include <utility>

#include "server/http/api/guard.hpp"
#include "server/http/api/list_text.hpp"
#include "server/http/api/people_json.hpp"
#include "server/http/api/routes.hpp"

namespace portunus::server::http::api {

async::Task<Result<Response>> list_grants(const Call& call) {
  const Result<Query> query = call.query();
  if (!query) co_return fail(query.error());
  if (const auto allowed = require_superadmin(call.who); !allowed) co_return fail(allowed.error());
  auto grants = co_await call.services.people.grants.list(query->get("user_id"));
  if (!grants) co_return fail(grants.error());
  std::string list = co_await list_text(std::move(*grants), grant_json);
  co_return json_response(std::move(list));
}

async::Task<Result<Response>> add_grant(const Call& call) {
  const Result<std::string> body = co_await call.json_body();
  if (!body) co_return fail(body.error());
  Result<people::NewGrant> wanted = decode_new_grant(*body);
  if (!wanted) co_return fail(wanted.error());
  if (const auto allowed = require_superadmin(call.who); !allowed) co_return fail(allowed.error());
  const auto grant = co_await call.services.people.grants.add(call.who.user_id, std::move(*wanted));
  if (!grant) co_return fail(grant.error());
  co_return json_response(grant_json(*grant), 201);
}

async::Task<Result<Response>> delete_grant(const Call& call) {
  if (const auto allowed = require_superadmin(call.who); !allowed) co_return fail(allowed.error());
  const auto revoked =
      co_await call.services.people.grants.revoke(call.who.user_id, call.grant_id());
  if (!revoked) co_return fail(revoked.error());
  co_return json_response(revoked_grant_json(*revoked));
}

}  // namespace portunus::server::http::api
