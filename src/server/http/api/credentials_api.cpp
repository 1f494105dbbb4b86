#include <string>
#include <utility>

#include "server/http/api/guard.hpp"
#include "server/http/api/list_text.hpp"
#include "server/http/api/people_json.hpp"
#include "server/http/api/routes.hpp"
#include "server/people/user_id.hpp"

namespace portunus::server::http::api {
namespace {

/// The user id's grammar comes before the question whose it is (http-api 6.2).
Result<> check_user(const Call& call) {
  if (auto good = people::check_user_id(call.user_id()); !good) return good;
  return require_self(call.who, call.user_id());
}

}  // namespace

async::Task<Result<Response>> list_credentials(const Call& call) {
  if (const auto allowed = check_user(call); !allowed) co_return fail(allowed.error());
  auto rows = co_await call.services.people.credentials.list(call.user_id());
  if (!rows) co_return fail(rows.error());
  std::string list = co_await list_text(std::move(*rows), credential_json);
  co_return json_response(std::move(list));
}

async::Task<Result<Response>> issue_credential(const Call& call) {
  const Result<std::string> body = co_await call.json_body();
  if (!body) co_return fail(body.error());
  Result<std::optional<std::string>> label = decode_label(*body);
  if (!label) co_return fail(label.error());
  if (const auto allowed = check_user(call); !allowed) co_return fail(allowed.error());
  const auto issued = co_await call.services.people.credentials.issue(
      call.who.user_id, call.user_id(), std::move(*label));
  if (!issued) co_return fail(issued.error());
  co_return json_response(issued_credential_json(*issued), 201);
}

async::Task<Result<Response>> revoke_credential(const Call& call) {
  if (const auto allowed = check_user(call); !allowed) co_return fail(allowed.error());
  const Result<> done = co_await call.services.people.credentials.revoke(
      call.who.user_id, call.user_id(), call.credential_id());
  if (!done) co_return fail(done.error());
  co_return no_content();
}

async::Task<Result<Response>> rotate_credential(const Call& call) {
  const Result<std::string> body = co_await call.json_body();
  if (!body) co_return fail(body.error());
  Result<std::optional<std::string>> label = decode_label(*body);
  if (!label) co_return fail(label.error());
  if (const auto allowed = check_user(call); !allowed) co_return fail(allowed.error());
  const auto issued = co_await call.services.people.credentials.rotate(
      call.who.user_id, call.user_id(), call.credential_id(), std::move(*label));
  if (!issued) co_return fail(issued.error());
  co_return json_response(issued_credential_json(*issued));
}

}  // namespace portunus::server::http::api
