#include "server/people/user_service.hpp"

#include <utility>

#include "common/async/shielded.hpp"
#include "common/log/logger.hpp"
#include "common/model/names.hpp"
#include "server/people/errc.hpp"
#include "server/people/user_id.hpp"
#include "server/store/credential_store.hpp"
#include "server/store/grant_store.hpp"
#include "server/store/owner_limit_store.hpp"
#include "server/store/rule_store.hpp"

namespace portunus::server::people {

using store::Connection;
using store::UserRow;
using store::UserSummary;

namespace {

/// Everything of a removal that others must hear of.
struct Removal {
  RemovedUser user;
  std::vector<store::RemovedRule> rules;
  /// Where he had caps but no rule.
  std::vector<store::ClientRef> caps;
};

Result<store::Role> parse_role(const std::string& word) {
  if (word == "user") return store::Role::user;
  if (word == "superadmin") return store::Role::superadmin;
  return fail({Errc::unknown_role, "the role is user or superadmin"});
}

/// http-api 6.1 up to the password's policy.
Result<UserRow> check_new(const NewUser& wanted) {
  if (auto good = check_new_user_id(wanted.user_id); !good) return fail(std::move(good.error()));
  auto display_name = model::parse_display_name(wanted.display_name);
  if (!display_name) return fail(Errc::invalid_display_name);
  const auto role = parse_role(wanted.role);
  if (!role) return fail(role.error());
  if (wanted.password_change_required && !wanted.initial_password) {
    return fail(Errc::initial_password_required);
  }
  UserRow row;
  row.user_id = wanted.user_id;
  row.display_name = *std::move(display_name);
  row.role = *role;
  row.password_change_required = wanted.password_change_required;
  return row;
}

Result<> insert_in(Connection& connection, const UserRow& row) {
  const auto holder = store::find_user(connection, row.user_id);
  if (!holder) return fail(holder.error());
  if (*holder) return fail({Errc::user_already_exists, row.user_id});
  return store::insert_user(connection, row);
}

/// Whether the user may go: he exists, and if he is a superadmin who can act, another one is left.
Result<> check_removal(Connection& connection, const std::string& user_id) {
  const auto users = store::list_users(connection);
  if (!users) return fail(users.error());
  const UserRow* found = nullptr;
  bool other = false;
  for (const UserSummary& summary : *users) {
    const UserRow& user = summary.user;
    if (user.user_id == user_id) {
      found = &user;
    } else if (user.role == store::Role::superadmin && !user.disabled) {
      other = true;
    }
  }
  if (found == nullptr) return fail({Errc::user_not_found, user_id});
  if (found->role == store::Role::superadmin && !found->disabled && !other) {
    return fail({Errc::last_superadmin, user_id});
  }
  return {};
}

Result<std::vector<store::RemovedRule>> remove_rules_of(Connection& connection,
                                                        const std::string& user_id) {
  const auto rules = store::list_rules_of(connection, user_id);
  if (!rules) return fail(rules.error());
  return store::remove_rules_and_caps(connection, *rules);
}

Result<Removal> remove_in(Connection& connection, const std::string& user_id) {
  if (const auto good = check_removal(connection, user_id); !good) return fail(good.error());
  Removal out;
  out.user.user_id = user_id;
  const auto credentials = store::list_credentials(connection, user_id);
  if (!credentials) return fail(credentials.error());
  for (const auto& row : *credentials) out.user.credential_ids.push_back(row.credential_id);
  const auto grants = store::list_grants(connection, user_id);
  if (!grants) return fail(grants.error());
  for (const auto& row : *grants) out.user.grant_ids.push_back(row.grant_id);

  auto rules = remove_rules_of(connection, user_id);
  if (!rules) return fail(rules.error());
  out.rules = std::move(*rules);
  for (const auto& rule : out.rules) out.user.rule_ids.push_back(rule.id.value);
  auto caps = store::remove_owner_limits_of(connection, user_id);
  if (!caps) return fail(caps.error());
  out.caps = std::move(*caps);
  if (const auto gone = store::remove_user(connection, user_id); !gone) return fail(gone.error());
  return out;
}

}  // namespace

async::Task<Result<std::vector<UserSummary>>> UserService::list() {
  auto load = [](Connection& connection) { return store::list_users(connection); };
  co_return co_await store_.read(load);
}

async::Task<Result<UserSummary>> UserService::get(std::string user_id) {
  if (const auto good = check_user_id(user_id); !good) co_return fail(good.error());
  auto find = [user_id](Connection& connection) {
    return store::summarize_user(connection, user_id);
  };
  auto found = co_await store_.read(std::move(find));
  if (!found) co_return fail(found.error());
  if (!*found) co_return fail({Errc::user_not_found, user_id});
  co_return std::move(**found);
}

async::Task<Result<UserRow>> UserService::add(std::string actor, NewUser wanted) {
  Result<UserRow> row = check_new(wanted);
  if (!row) co_return row;
  if (wanted.initial_password) {
    Result<std::string> hash = co_await hash_(std::move(*wanted.initial_password));
    if (!hash) co_return fail(std::move(hash.error()));
    row->password_hash = std::move(*hash);
  }
  row->created_at = clock_.now();
  co_return co_await async::shielded(insert(std::move(actor), std::move(*row)));
}

async::Task<Result<UserRow>> UserService::insert(std::string actor, UserRow row) {
  auto write = [row](Connection& connection) { return insert_in(connection, row); };
  const Result<> stored = co_await store_.write(std::move(write));
  if (!stored) co_return fail(stored.error());
  log::log(log::Event::operator_user_added,
           {{"actor", actor}, {"new_user", row.user_id}, {"outcome", "ok"}});
  co_return row;
}

async::Task<Result<RemovedUser>> UserService::remove(std::string actor, std::string user_id) {
  return async::shielded(erase(std::move(actor), std::move(user_id)));
}

async::Task<Result<RemovedUser>> UserService::erase(std::string actor, std::string user_id) {
  if (const auto good = check_user_id(user_id); !good) co_return fail(good.error());
  if (user_id == actor) co_return fail(Errc::cannot_remove_self);
  auto write = [user_id](Connection& connection) { return remove_in(connection, user_id); };
  Result<Removal> removal = co_await store_.write(std::move(write));
  if (!removal) co_return fail(removal.error());
  if (listener_ != nullptr) {
    listener_->on_rules_removed(removal->rules);
    for (const auto& client : removal->caps) listener_->on_caps_removed(client, user_id);
  }
  const RemovedUser& user = removal->user;
  log::log(log::Event::operator_user_removed, {{"actor", actor},
                                               {"removed_user", user_id},
                                               {"revoked_credentials", user.credential_ids.size()},
                                               {"revoked_grants", user.grant_ids.size()},
                                               {"removed_rules", user.rule_ids.size()},
                                               {"outcome", "ok"}});
  co_return std::move(removal->user);
}

}  // namespace portunus::server::people
