#include <utility>

#include "server/http/api/guard.hpp"
#include "server/http/api/routes.hpp"
#include "server/http/api/traffic_json.hpp"

namespace portunus::server::http::api {
namespace {

async::Task<Result<Response>> answer(const Call& call, traffic::HistoryRequest request) {
  const Result<traffic::History> history = co_await call.services.traffic.query(std::move(request));
  if (!history) co_return fail(history.error());
  co_return json_response(history_json(*history));
}

}  // namespace

async::Task<Result<Response>> get_user_traffic(const Call& call) {
  const Result<Query> query = call.query();
  if (!query) co_return fail(query.error());
  Result<traffic::HistoryRequest> asked = decode_history(*query);
  if (!asked) co_return fail(asked.error());
  Result<std::optional<std::string>> client = decode_client_filter(*query);
  if (!client) co_return fail(client.error());
  if (const auto allowed = require_self(call.who, call.user_id()); !allowed) {
    co_return fail(allowed.error());
  }
  asked->user_id = call.user_id();
  asked->client = std::move(*client);
  co_return co_await answer(call, std::move(*asked));
}

async::Task<Result<Response>> get_client_traffic(const Call& call) {
  const Result<Query> query = call.query();
  if (!query) co_return fail(query.error());
  Result<traffic::HistoryRequest> asked = decode_history(*query);
  if (!asked) co_return fail(asked.error());
  if (const auto allowed = require_superadmin(call.who); !allowed) co_return fail(allowed.error());
  asked->client = call.client();
  asked->user_id = query->get("user_id");
  co_return co_await answer(call, std::move(*asked));
}

async::Task<Result<Response>> get_global_traffic(const Call& call) {
  const Result<Query> query = call.query();
  if (!query) co_return fail(query.error());
  Result<traffic::HistoryRequest> asked = decode_history(*query);
  if (!asked) co_return fail(asked.error());
  if (const auto allowed = require_superadmin(call.who); !allowed) co_return fail(allowed.error());
  co_return co_await answer(call, std::move(*asked));
}

}  // namespace portunus::server::http::api
