#pragma once

#include <optional>
#include <string_view>
#include <utility>

#include "common/async/task.hpp"
#include "common/base/result.hpp"
#include "server/audit/audit_log.hpp"
#include "server/auth/bearer_auth.hpp"
#include "server/http/api/csrf.hpp"
#include "server/http/request.hpp"
#include "server/http/response.hpp"
#include "server/metrics/request_counter.hpp"
#include "server/web_auth/sessions.hpp"

namespace portunus::server::http::api {

/// Who may pass, and the one record of each protected request (http-api 3.1, observability 2 and
/// 8). Domain executor.
class Guard {
 public:
  Guard(auth::BearerAuth& bearer, web_auth::Sessions& sessions, metrics::RequestCounter& requests,
        WebOrigin origin, audit::AuditLog& audit)
      : bearer_(bearer),
        sessions_(sessions),
        requests_(requests),
        origin_(std::move(origin)),
        audit_(audit) {}

  /// Steps 1 to 3 of http-api 3.1, in their order: a session cookie decides alone.
  async::Task<Result<auth::Identity>> authenticate(const Request& request);
  /// Steps 4 and 5, which concern sessions. `during_forced_change`: the route is one of those that
  /// are open until the password is changed. Errc::csrf_*, Errc::password_change_required.
  Result<> admit(const Request& request, const auth::Identity& who,
                 bool during_forced_change) const;

  /// Logs operator.allow or operator.deny, counts, and writes the audit row where one is due
  /// (http-api 12), once per request. `error` is what was answered if not success.
  void record(const Request& request, const Result<auth::Identity>& who, const Error* error);
  /// The same line for the calls outside the pipeline, which are not counted and whose requests
  /// show no identity before they succeed; a status that anyone may read leaves none. Whatever
  /// credentials a request carries, the call looked at none but a session's, if `by_session`.
  void record_open(const Request& request, const std::optional<auth::Identity>& who,
                   bool by_session, const Error* error);

 private:
  auth::BearerAuth& bearer_;
  web_auth::Sessions& sessions_;
  metrics::RequestCounter& requests_;
  WebOrigin origin_;
  audit::AuditLog& audit_;
};

/// role_required unless superadmin.
Result<> require_superadmin(const auth::Identity& who);
/// not_owner unless that user or a superadmin.
Result<> require_self(const auth::Identity& who, std::string_view user_id);

}  // namespace portunus::server::http::api
