#include <charconv>
#include <utility>

#include "server/http/api/audit_json.hpp"
#include "server/http/api/errc.hpp"
#include "server/http/api/guard.hpp"
#include "server/http/api/list_text.hpp"
#include "server/http/api/routes.hpp"

namespace portunus::server::http::api {
namespace {

/// A whole number of any size that fits; whether it is a fit limit is the domain's business.
Result<std::optional<std::int64_t>> decode_limit(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  std::int64_t value = 0;
  const char* const end = text->data() + text->size();
  const auto [stop, ec] = std::from_chars(text->data(), end, value);
  if (stop != end || ec == std::errc::invalid_argument) return fail(Errc::invalid_query);
  // Too large for a number is too large for a limit.
  return ec == std::errc() ? value : 0;
}

}  // namespace

async::Task<Result<Response>> list_audit(const Call& call) {
  const Result<Query> query = call.query();
  if (!query) co_return fail(query.error());
  const auto limit = decode_limit(query->get("limit"));
  if (!limit) co_return fail(limit.error());
  if (const auto allowed = require_superadmin(call.who); !allowed) co_return fail(allowed.error());
  const audit::PageQuery asked{.limit = *limit,
                               .outcome = query->get("outcome"),
                               .since = query->get("since"),
                               .until = query->get("until"),
                               .cursor = query->get("cursor")};
  Result<audit::Page> page = co_await call.services.audit.page(asked);
  if (!page) co_return fail(page.error());
  const std::size_t count = page->entries.size();
  std::string entries = co_await list_text(std::move(page->entries), audit_entry_json);
  if (!asked.paged()) co_return json_response(std::move(entries));
  co_return json_response(audit_page_json(entries, count, page->next_cursor));
}

}  // namespace portunus::server::http::api
