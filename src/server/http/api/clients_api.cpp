#include <string>
#include <utility>

#include "server/http/api/guard.hpp"
#include "server/http/api/list_text.hpp"
#include "server/http/api/model_json.hpp"
#include "server/http/api/request_json.hpp"
#include "server/http/api/routes.hpp"

namespace portunus::server::http::api {

async::Task<Result<Response>> list_clients(const Call& call) {
  auto clients = co_await call.services.clients.list();
  if (!clients) co_return fail(clients.error());
  if (call.who.role != store::Role::superadmin) {
    const auto visible = co_await call.services.people.grants.visible_clients(call.who.user_id);
    if (!visible) co_return fail(visible.error());
    std::erase_if(*clients, [&](const auth::ClientView& client) {
      return !visible->contains({client.row.client_id, client.row.name});
    });
  }
  std::string list = co_await list_text(std::move(*clients), client_json);
  co_return json_response(std::move(list));
}

async::Task<Result<Response>> set_client_address(const Call& call) {
  const Result<std::string> body = co_await call.json_body();
  if (!body) co_return fail(body.error());
  Result<std::string> address = decode_address(*body);
  if (!address) co_return fail(address.error());
  if (const auto allowed = require_superadmin(call.who); !allowed) co_return fail(allowed.error());
  const auto client = co_await call.services.clients.set_address(call.client(), *address);
  if (!client) co_return fail(client.error());
  co_return json_response(client_json(*client));
}

async::Task<Result<Response>> rename_client(const Call& call) {
  const Result<std::string> body = co_await call.json_body();
  if (!body) co_return fail(body.error());
  Result<std::string> name = decode_client_name(*body);
  if (!name) co_return fail(name.error());
  if (const auto allowed = require_superadmin(call.who); !allowed) co_return fail(allowed.error());
  const auto client = co_await call.services.clients.rename(call.client(), *name);
  if (!client) co_return fail(client.error());
  co_return json_response(client_json(*client));
}

async::Task<Result<Response>> revoke_client(const Call& call) {
  if (const auto allowed = require_superadmin(call.who); !allowed) co_return fail(allowed.error());
  const Result<> done = co_await call.services.clients.revoke(call.client());
  if (!done) co_return fail(done.error());
  co_return no_content();
}

async::Task<Result<Response>> delete_client(const Call& call) {
  if (const auto allowed = require_superadmin(call.who); !allowed) co_return fail(allowed.error());
  const Result<> done = co_await call.services.clients.remove(call.client());
  if (!done) co_return fail(done.error());
  co_return no_content();
}

}  // namespace portunus::server::http::api
