#include "server/http/api/audit_trail.hpp"

#include <string>

#include "server/audit/entries.hpp"
#include "server/http/api/error_map.hpp"
#include "server/http/api/model_json.hpp"

namespace portunus::server::http::api {
namespace {

/// The refusals behind which a change stays stored (http-api 8.5, 8.6): the rule, or its new caps.
bool left_a_change(const Error& error) {
  if (error == rules::Errc::ack_timeout || error == rules::Errc::client_lost) return true;
  return error == rules::Errc::activation_failed && !error.detail.starts_with("persist_rule: ");
}

bool changed_something(const Request& request, const Error* error) {
  if (error != nullptr) return left_a_change(*error);
  return request.method != Method::get && request.method != Method::head;
}

}  // namespace

std::optional<store::AuditRow> request_entry(const Request& request, const auth::Identity* who,
                                             const Error* error) {
  const ErrorRow answer = error == nullptr ? ErrorRow{200, "ok", ""} : describe(error->code);
  const bool denied = answer.denies();
  if (!denied && !changed_something(request, error)) return std::nullopt;
  store::AuditRow row;
  row.actor = who != nullptr ? who->user_id : std::string(audit::kAnonymous);
  if (who != nullptr) row.role = std::string(role_name(who->role));
  row.method = audit::cut(request.method_text, audit::kMostMethodBytes);
  row.path = audit::cut(request.path, audit::kMostPathBytes);
  row.outcome = denied ? store::AuditOutcome::deny : store::AuditOutcome::allow;
  if (denied) row.reason = std::string(answer.code);
  return row;
}

}  // namespace portunus::server::http::api
