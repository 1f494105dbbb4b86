#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "common/async/task.hpp"
#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "common/base/secret.hpp"
#include "server/store/rows.hpp"
#include "server/store/store.hpp"

namespace portunus::server::auth {

/// Who a request comes from, verified.
struct Identity {
  std::string user_id;
  std::string display_name;
  store::Role role = store::Role::user;
  std::string credential_id;  ///< of the API token; empty for a session
  bool session = false;       ///< a browser's, instead of an API token
  /// Of a session: its user has to change the password before anything else.
  bool password_change_required = false;
};

/// Operator API tokens (http-api 3.1 steps 1 and 3, 3.2). Lives on the domain executor.
class BearerAuth {
 public:
  BearerAuth(store::Store& store, const Clock& clock) : store_(store), clock_(clock) {}

  /// `authorization` is the header's value, nothing when absent. Errors in the order of http-api
  /// 3.1: bootstrap_required, unauthenticated, credential_invalid, user_disabled, or a store
  /// error. A success updates last_used_at, best effort, without delaying the answer.
  async::Task<Result<Identity>> authenticate(std::optional<std::string_view> authorization);

 private:
  store::Store& store_;
  const Clock& clock_;
};

/// The superadmins that a command or server.toml creates; both run before any event loop.
struct Bootstrapped {
  std::string user_id;
  std::string credential_id;
  Secret token;
};
/// `bootstrap-superadmin`: _superadmin with a credential labelled "bootstrap".
Result<Bootstrapped> bootstrap_superadmin(store::Store& store, std::string_view display_name,
                                          const Clock& clock);
/// `operator_token`: creates _legacy only while no enabled superadmin exists; false = it does.
Result<bool> bootstrap_legacy(store::Store& store, const Secret& token, const Clock& clock);
/// An enabled one.
Result<bool> superadmin_exists(store::Store& store);
/// What operator.store_loaded and operator.store_reloaded tell.
struct IdentityCounts {
  std::int64_t users = 0;
  std::int64_t grants = 0;
  bool superadmin = false;  ///< an enabled one
};
Result<IdentityCounts> count_identities(store::Connection& connection);
/// Logs operator.store_loaded with the counts of `store`; `path` is the database's.
Result<> log_identities(store::Store& store, const std::filesystem::path& path);

}  // namespace portunus::server::auth
