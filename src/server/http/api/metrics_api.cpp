#include <utility>

#include "server/http/api/guard.hpp"
#include "server/http/api/routes.hpp"
#include "server/metrics/exposition.hpp"

namespace portunus::server::http::api {

async::Task<Result<Response>> get_metrics(const Call& call) {
  if (const auto allowed = require_superadmin(call.who); !allowed) co_return fail(allowed.error());
  Result<std::string> text = co_await call.services.metrics.scrape();
  if (!text) co_return fail(text.error());
  co_return make_response(200, metrics::kContentType, std::move(*text));
}

}  // namespace portunus::server::http::api
