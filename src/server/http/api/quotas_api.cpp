#include <string>
#include <utility>

#include "server/http/api/guard.hpp"
#include "server/http/api/limit_json.hpp"
#include "server/http/api/list_text.hpp"
#include "server/http/api/routes.hpp"

namespace portunus::server::http::api {

async::Task<Result<Response>> list_user_quotas(const Call& call) {
  if (const auto allowed = require_self(call.who, call.user_id()); !allowed) {
    co_return fail(allowed.error());
  }
  auto quotas = call.services.quotas.of_user(call.user_id());
  std::string list = co_await list_text(std::move(quotas), quota_json);
  co_return json_response(std::move(list));
}

async::Task<Result<Response>> list_client_quotas(const Call& call) {
  if (const auto allowed = require_superadmin(call.who); !allowed) co_return fail(allowed.error());
  auto quotas = co_await call.services.quotas.of_client(call.client());
  if (!quotas) co_return fail(quotas.error());
  std::string list = co_await list_text(std::move(*quotas), quota_json);
  co_return json_response(std::move(list));
}

async::Task<Result<Response>> get_quota_status(const Call& call) {
  if (const auto allowed = require_self(call.who, call.user_id()); !allowed) {
    co_return fail(allowed.error());
  }
  const auto quota = co_await call.services.quotas.status(call.user_id(), call.client());
  if (!quota) co_return fail(quota.error());
  co_return json_response(quota_json(*quota));
}

async::Task<Result<Response>> put_quota(const Call& call) {
  const Result<std::string> body = co_await call.json_body();
  if (!body) co_return fail(body.error());
  const Result<QuotaBody> wanted = decode_quota_put(*body);
  if (!wanted) co_return fail(wanted.error());
  if (const auto allowed = require_superadmin(call.who); !allowed) co_return fail(allowed.error());
  const auto quota = co_await call.services.quotas.put(
      call.user_id(), call.client(), *wanted->monthly_bytes, wanted->billing_anchor);
  if (!quota) co_return fail(quota.error());
  co_return json_response(quota_json(*quota));
}

async::Task<Result<Response>> patch_quota(const Call& call) {
  const Result<std::string> body = co_await call.json_body();
  if (!body) co_return fail(body.error());
  const Result<QuotaBody> wanted = decode_quota_patch(*body);
  if (!wanted) co_return fail(wanted.error());
  if (const auto allowed = require_superadmin(call.who); !allowed) co_return fail(allowed.error());
  const auto quota = co_await call.services.quotas.patch(
      call.user_id(), call.client(), wanted->monthly_bytes, wanted->clear_period_usage);
  if (!quota) co_return fail(quota.error());
  co_return json_response(quota_json(*quota));
}

async::Task<Result<Response>> delete_quota(const Call& call) {
  if (const auto allowed = require_superadmin(call.who); !allowed) co_return fail(allowed.error());
  const Result<> done = co_await call.services.quotas.remove(call.user_id(), call.client());
  if (!done) co_return fail(done.error());
  co_return no_content();
}

}  // namespace portunus::server::http::api
