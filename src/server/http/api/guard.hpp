#pragma once

#include <optional>
#include <string_view>

#include "common/async/task.hpp"
#include "common/base/result.hpp"
#include "server/audit/audit_log.hpp"
#include "server/auth/bearer_auth.hpp"
#include "server/http/request.hpp"
#include "server/http/response.hpp"
#include "server/metrics/request_counter.hpp"

namespace portunus::server::http::api {

/// Who may pass, and the one record of each protected request (http-api 3.1, observability 2 and
/// 8). Domain executor.
class Guard {
 public:
  Guard(auth::BearerAuth& bearer, metrics::RequestCounter& requests, audit::AuditLog& audit)
      : bearer_(bearer), requests_(requests), audit_(audit) {}

  /// The steps of http-api 3.1 in their order. No session exists in this release, so a session
  /// cookie is an unknown one, and decides alone.
  async::Task<Result<auth::Identity>> authenticate(const Request& request);

  /// Logs operator.allow or operator.deny, counts, and writes the audit row where one is due
  /// (http-api 12), once per request. `error` is what was answered if not success.
  void record(const Request& request, const Result<auth::Identity>& who, const Error* error);

 private:
  auth::BearerAuth& bearer_;
  metrics::RequestCounter& requests_;
  audit::AuditLog& audit_;
};

/// role_required unless superadmin.
Result<> require_superadmin(const auth::Identity& who);
/// not_owner unless that user or a superadmin.
Result<> require_self(const auth::Identity& who, std::string_view user_id);

}  // namespace portunus::server::http::api
