#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/async/task.hpp"
#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "common/base/secret.hpp"
#include "server/people/people_listener.hpp"
#include "server/store/store.hpp"
#include "server/store/user_store.hpp"

namespace portunus::server::people {

/// Judges a password by the policy of http-api 3.7 and makes its PHC string, off the domain's
/// thread. Its errors are those of who gives it.
using HashPassword = std::function<async::Task<Result<std::string>>(Secret password)>;

/// A user as an operator asks for him: decoded, nothing checked yet.
struct NewUser {
  std::string user_id;
  std::string display_name;
  std::string role = "user";
  std::optional<Secret> initial_password = {};
  bool password_change_required = false;
};

/// What went with a user; every list ascending.
struct RemovedUser {
  std::string user_id;
  std::vector<std::string> credential_ids;  ///< revoked ones included
  std::vector<std::string> grant_ids;
  std::vector<std::uint64_t> rule_ids;
};

/// Operators (http-api 6.1). Lives on the domain executor; owned by the composition root. `actor`
/// is the id of who asks, already allowed to.
class UserService {
 public:
  UserService(store::Store& store, const Clock& clock, HashPassword hash)
      : store_(store), clock_(clock), hash_(std::move(hash)) {}
  void set_listener(PeopleListener* listener) { listener_ = listener; }

  /// Ascending by id.
  async::Task<Result<std::vector<store::UserSummary>>> list();
  /// invalid_user_id, user_not_found.
  async::Task<Result<store::UserSummary>> get(std::string user_id);
  /// Errors in the order of http-api 6.1; nothing is created on any of them. Logs
  /// operator.user_added.
  async::Task<Result<store::UserRow>> add(std::string actor, NewUser wanted);
  /// With credentials, grants, rules and caps in one transaction, then the edges are told.
  /// invalid_user_id, cannot_remove_self, last_superadmin, user_not_found. Logs
  /// operator.user_removed.
  async::Task<Result<RemovedUser>> remove(std::string actor, std::string user_id);

 private:
  async::Task<Result<store::UserRow>> insert(std::string actor, store::UserRow row);
  async::Task<Result<RemovedUser>> erase(std::string actor, std::string user_id);

  store::Store& store_;
  const Clock& clock_;
  HashPassword hash_;
  PeopleListener* listener_ = nullptr;
};

}  // namespace portunus::server::people
