#include <string>
#include <utility>

#include "server/http/api/guard.hpp"
#include "server/http/api/limit_json.hpp"
#include "server/http/api/list_text.hpp"
#include "server/http/api/routes.hpp"

namespace portunus::server::http::api {

async::Task<Result<Response>> list_owners(const Call& call) {
  if (const auto allowed = require_superadmin(call.who); !allowed) co_return fail(allowed.error());
  auto owners = co_await call.services.owner_caps.owners(call.client());
  if (!owners) co_return fail(owners.error());
  std::string list = co_await list_text(std::move(*owners), owner_json);
  co_return json_response(std::move(list));
}

async::Task<Result<Response>> get_owner_caps(const Call& call) {
  if (const auto allowed = require_superadmin(call.who); !allowed) co_return fail(allowed.error());
  const auto caps = co_await call.services.owner_caps.get(call.client(), call.owner_id());
  if (!caps) co_return fail(caps.error());
  co_return json_response(owner_caps_json(*caps));
}

async::Task<Result<Response>> put_owner_caps(const Call& call) {
  const Result<std::string> body = co_await call.json_body();
  if (!body) co_return fail(body.error());
  Result<owner_caps::WantedCaps> wanted = decode_owner_caps(*body);
  if (!wanted) co_return fail(wanted.error());
  if (const auto allowed = require_superadmin(call.who); !allowed) co_return fail(allowed.error());
  const auto caps =
      co_await call.services.owner_caps.put(call.client(), call.owner_id(), std::move(*wanted));
  if (!caps) co_return fail(caps.error());
  co_return json_response(owner_caps_json(*caps));
}

async::Task<Result<Response>> delete_owner_caps(const Call& call) {
  if (const auto allowed = require_superadmin(call.who); !allowed) co_return fail(allowed.error());
  const Result<> done = co_await call.services.owner_caps.remove(call.client(), call.owner_id());
  if (!done) co_return fail(done.error());
  co_return no_content();
}

}  // namespace portunus::server::http::api
