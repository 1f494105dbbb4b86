#include <string>
#include <utility>

#include "server/http/api/guard.hpp"
#include "server/http/api/list_text.hpp"
#include "server/http/api/model_json.hpp"
#include "server/http/api/people_json.hpp"
#include "server/http/api/routes.hpp"

namespace portunus::server::http::api {

async::Task<Result<Response>> get_me(const Call& call) {
  co_return json_response(identity_json(call.who));
}

async::Task<Result<Response>> list_users(const Call& call) {
  if (const auto allowed = require_superadmin(call.who); !allowed) co_return fail(allowed.error());
  auto users = co_await call.services.people.users.list();
  if (!users) co_return fail(users.error());
  std::string list = co_await list_text(std::move(*users), user_json);
  co_return json_response(std::move(list));
}

async::Task<Result<Response>> add_user(const Call& call) {
  const Result<std::string> body = co_await call.json_body();
  if (!body) co_return fail(body.error());
  Result<people::NewUser> wanted = decode_new_user(*body);
  if (!wanted) co_return fail(wanted.error());
  if (const auto allowed = require_superadmin(call.who); !allowed) co_return fail(allowed.error());
  const auto user = co_await call.services.people.users.add(call.who.user_id, std::move(*wanted));
  if (!user) co_return fail(user.error());
  co_return json_response(new_user_json(*user), 201);
}

async::Task<Result<Response>> get_user(const Call& call) {
  if (const auto allowed = require_superadmin(call.who); !allowed) co_return fail(allowed.error());
  const auto user = co_await call.services.people.users.get(call.user_id());
  if (!user) co_return fail(user.error());
  co_return json_response(user_json(*user));
}

async::Task<Result<Response>> delete_user(const Call& call) {
  if (const auto allowed = require_superadmin(call.who); !allowed) co_return fail(allowed.error());
  const auto removed = co_await call.services.people.users.remove(call.who.user_id, call.user_id());
  if (!removed) co_return fail(removed.error());
  co_return json_response(removed_user_json(*removed));
}

}  // namespace portunus::server::http::api
