#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "common/base/secret.hpp"
#include "server/store/store.hpp"

namespace portunus::server::web_auth {

/// A password set by somebody else than its user (http-api 6.1, cli-and-config 2.2).
struct ResetRequest {
  std::string user_id;
  std::optional<Secret> password = {};  ///< nothing = one is generated, which is always temporary
  bool temporary = false;               ///< the user has to change it first
  bool keep_api_tokens = false;
};

/// What a reset did: all that the answer and the audit row tell of it.
struct PasswordReset {
  std::string user_id;
  std::int64_t sessions_revoked = 0;
  std::int64_t api_tokens_revoked = 0;
  std::optional<Secret> generated = {};  ///< the temporary password, if it was not given
  bool change_required = false;
  bool api_tokens_kept = false;
};

/// The details of the audit row `operator.password_reset` (http-api 12, cli-and-config 2.2): a JSON
/// object of counts and flags, no secret among them.
std::string reset_details(const PasswordReset& reset, bool by_local_cli);

/// The request with its password: as given, or a generated one.
struct ResetPlan {
  PasswordReset outcome;  ///< but for the counts
  Secret password;
};
ResetPlan plan_reset(const ResetRequest& request);

/// Sets the password, ends the user's sessions and revokes the tokens; the counts. Part of a
/// transaction. Errc::user_not_found.
Result<PasswordReset> apply_reset(store::Connection& connection, PasswordReset plan,
                                  const std::string& password_hash, SystemTime now);

/// The whole of it for the local command, without throttling: blocks. The policy's errors, then
/// Errc::user_not_found.
Result<PasswordReset> reset_password_now(store::Store& store, const ResetRequest& request,
                                         const Clock& clock);

}  // namespace portunus::server::web_auth
