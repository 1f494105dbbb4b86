#include "server/audit/audit_page.hpp"

#include <charconv>
#include <utility>

#include "common/base/hex.hpp"
#include "common/base/rfc3339.hpp"
#include "server/audit/errc.hpp"

namespace portunus::server::audit {
namespace {

/// A query that has been judged.
struct Wanted {
  store::AuditFilter filter;
  std::optional<std::int64_t> after;
  std::size_t limit = 0;
};

Result<std::optional<store::AuditOutcome>> check_outcome(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  if (*text == "allow") return store::AuditOutcome::allow;
  if (*text == "deny") return store::AuditOutcome::deny;
  return fail({Errc::invalid_outcome, "outcome is allow or deny"});
}

Result<std::optional<SystemTime>> check_time(const char* key,
                                             const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  const auto time = parse_rfc3339(*text);
  if (!time) {
    return fail({Errc::invalid_timestamp,
                 std::string(key) + " is not an RFC 3339 time such as 2026-01-31T12:00:00Z"});
  }
  return time;
}

Result<Wanted> check(const PageQuery& query) {
  Wanted out;
  const std::int64_t limit = query.limit.value_or(kDefaultLimit);
  if (limit < 1 || limit > kMostLimit) return fail({Errc::invalid_limit, "limit is 1 to 1000"});
  out.limit = static_cast<std::size_t>(limit);
  const auto outcome = check_outcome(query.outcome);
  if (!outcome) return fail(outcome.error());
  out.filter.outcome = *outcome;
  const auto since = check_time("since", query.since);
  if (!since) return fail(since.error());
  const auto until = check_time("until", query.until);
  if (!until) return fail(until.error());
  if (*since && *until && **since > **until) {
    return fail({Errc::invalid_time_range, "since is after until"});
  }
  out.filter.since = *since;
  out.filter.until = *until;
  if (query.cursor) {
    const Result<std::int64_t> after = decode_cursor(*query.cursor);
    if (!after) return fail(after.error());
    out.after = *after;
  }
  return out;
}

}  // namespace

async::Task<Result<Page>> read_page(store::Store& store, PageQuery query) {
  const Result<Wanted> wanted = check(query);
  if (!wanted) co_return fail(wanted.error());
  // One more than asked for tells whether there are more.
  auto list = [wanted = *wanted](store::Connection& connection) {
    return store::list_audit(connection, wanted.filter, wanted.after, wanted.limit + 1);
  };
  Result<std::vector<store::AuditRow>> rows = co_await store.read(std::move(list));
  if (!rows) co_return fail(rows.error());
  Page page{std::move(*rows), std::nullopt};
  if (page.entries.size() > wanted->limit) {
    page.entries.pop_back();
    page.next_cursor = encode_cursor(page.entries.back().sequence);
  }
  co_return page;
}

std::string encode_cursor(std::int64_t sequence) {
  return base64url_encode(as_bytes(std::to_string(sequence)));
}

Result<std::int64_t> decode_cursor(const std::string& text) {
  const Error refused{Errc::invalid_cursor, "cursor is a next_cursor of an earlier answer"};
  const auto bytes = base64url_decode(text);
  if (!bytes || bytes->empty()) return fail(refused);
  const std::string digits(bytes->begin(), bytes->end());
  std::int64_t sequence = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, ec] = std::from_chars(digits.data(), end, sequence);
  if (ec != std::errc() || stop != end || std::to_string(sequence) != digits || sequence < 0) {
    return fail(refused);
  }
  return sequence;
}

}  // namespace portunus::server::audit
