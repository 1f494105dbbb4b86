#pragma once

#include <string>
#include <string_view>
#include <system_error>

#include "common/base/result.hpp"
#include "server/audit/errc.hpp"
#include "server/auth/errc.hpp"
#include "server/http/api/errc.hpp"
#include "server/http/errc.hpp"
#include "server/http/response.hpp"
#include "server/owner_caps/errc.hpp"
#include "server/people/errc.hpp"
#include "server/quotas/errc.hpp"
#include "server/rules/errc.hpp"
#include "server/store/errc.hpp"
#include "server/traffic/errc.hpp"
#include "server/web_auth/errc.hpp"

namespace portunus::server::http::api {

/// What a caller sees of an error (http-api 15).
struct ErrorRow {
  unsigned status = 500;
  std::string_view code = "internal";
  std::string_view meaning;  ///< for people; empty = the code says it all

  /// A denial: 401, 403 and 503 (http-api 12).
  bool denies() const { return status == 401 || status == 403 || status == 503; }
};

// The one table. An enumerator without a row does not compile.
ErrorRow row(Errc e);
ErrorRow row(http::Errc e);
ErrorRow row(auth::Errc e);
ErrorRow row(web_auth::Errc e);
ErrorRow row(rules::Errc e);
ErrorRow row(owner_caps::Errc e);
ErrorRow row(quotas::Errc e);
ErrorRow row(people::Errc e);
ErrorRow row(traffic::Errc e);
ErrorRow row(audit::Errc e);
ErrorRow row(store::Errc e);

/// Codes of other categories are faults of ours: 500 internal.
ErrorRow describe(const std::error_code& code);
/// Never SQL, paths or secrets. Rule messages begin with their code.
std::string message(const Error& error);
/// Status and envelope; with Retry-After where the caller is to wait.
Response to_response(const Error& error);

}  // namespace portunus::server::http::api
