#pragma once

#include <optional>

#include "common/base/result.hpp"
#include "server/auth/bearer_auth.hpp"
#include "server/http/request.hpp"
#include "server/store/audit_store.hpp"

namespace portunus::server::http::api {

/// The audit row of a protected request whose outcome is known (http-api 12): one for a request
/// that was denied or changed something, nothing for any other. `who` is null before
/// authentication, `error` null for a success. The time is given when it is recorded.
std::optional<store::AuditRow> request_entry(const Request& request, const auth::Identity* who,
                                             const Error* error);

}  // namespace portunus::server::http::api
