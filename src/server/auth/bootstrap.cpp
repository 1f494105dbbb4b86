#include <string>
#include <utility>

#include "common/base/ulid.hpp"
#include "common/crypto/digest.hpp"
#include "common/crypto/random.hpp"
#include "common/log/logger.hpp"
#include "common/model/names.hpp"
#include "server/auth/bearer_auth.hpp"
#include "server/auth/errc.hpp"
#include "server/store/credential_store.hpp"
#include "server/store/grant_store.hpp"
#include "server/store/user_store.hpp"

namespace portunus::server::auth {
namespace {

struct NewSuperadmin {
  std::string user_id;
  std::string display_name;
  std::string label;
  std::string credential_id;
  std::string token_hash;
  SystemTime now;
};

Result<> insert(store::Connection& connection, const NewSuperadmin& admin) {
  const auto user = store::insert_user(connection, {.user_id = admin.user_id,
                                                    .display_name = admin.display_name,
                                                    .role = store::Role::superadmin,
                                                    .disabled = false,
                                                    .created_at = admin.now});
  if (!user) return user;
  return store::insert_credential(connection, {.credential_id = admin.credential_id,
                                               .user_id = admin.user_id,
                                               .token_hash = admin.token_hash,
                                               .label = admin.label,
                                               .created_at = admin.now,
                                               .last_used_at = std::nullopt,
                                               .revoked_at = std::nullopt});
}

/// False when one exists already, which counts only if enabled with `enabled_only`.
Result<bool> create_unless_exists(store::Store& store, const NewSuperadmin& admin,
                                  bool enabled_only) {
  return store.write_now([&](store::Connection& connection) -> Result<bool> {
    const auto exists = store::superadmin_exists(connection, enabled_only);
    if (!exists) return fail(exists.error());
    if (*exists) return false;
    if (const auto done = insert(connection, admin); !done) return fail(done.error());
    return true;
  });
}

}  // namespace

Result<Bootstrapped> bootstrap_superadmin(store::Store& store, std::string_view display_name,
                                          const Clock& clock) {
  const Result<bool> exists = store.read_now(
      [](store::Connection& connection) { return store::superadmin_exists(connection, false); });
  if (!exists) return fail(exists.error());
  if (*exists) return fail({Errc::already_bootstrapped, "a superadmin already exists"});
  const auto name = model::parse_display_name(display_name);
  if (!name) return fail({Errc::invalid_display_name, "length must be 1..=64 chars"});

  Bootstrapped out{"_superadmin", make_ulid(clock), crypto::random_token()};
  const auto created = create_unless_exists(store,
                                            {.user_id = out.user_id,
                                             .display_name = *name,
                                             .label = "bootstrap",
                                             .credential_id = out.credential_id,
                                             .token_hash = crypto::sha256_hex(out.token.reveal()),
                                             .now = clock.now()},
                                            false);
  if (!created) return fail(created.error());
  if (!*created) return fail({Errc::already_bootstrapped, "a superadmin already exists"});
  log::log(log::Event::operator_bootstrap, {{"actor", "_anonymous"},
                                            {"new_user", out.user_id},
                                            {"new_credential", out.credential_id},
                                            {"outcome", "ok"}});
  return out;
}

Result<bool> bootstrap_legacy(store::Store& store, const Secret& token, const Clock& clock) {
  // A request's token is trimmed, so an untrimmed one could never match.
  const std::string_view text = model::trim(token.reveal());
  const auto created = create_unless_exists(store,
                                            {.user_id = "_legacy",
                                             .display_name = "operator_token shortcut",
                                             .label = "operator_token (server.toml)",
                                             .credential_id = make_ulid(clock),
                                             .token_hash = crypto::sha256_hex(text),
                                             .now = clock.now()},
                                            true);
  if (!created) {
    log::log_at(log::Level::error, log::Event::operator_bootstrap_legacy,
                {{"outcome", "fail"}, {"error", created.error().text()}});
  } else if (*created) {
    log::log(log::Event::operator_bootstrap_legacy, {{"outcome", "ok"}});
  } else {
    log::log(log::Event::operator_config_token_ignored, {{"reason", "superadmin_already_exists"}});
  }
  return created;
}

Result<bool> superadmin_exists(store::Store& store) {
  return store.read_now(
      [](store::Connection& connection) { return store::superadmin_exists(connection, true); });
}

Result<IdentityCounts> count_identities(store::Connection& connection) {
  const auto users = store::count_users(connection);
  if (!users) return fail(users.error());
  const auto grants = store::count_grants(connection);
  if (!grants) return fail(grants.error());
  const auto superadmin = store::superadmin_exists(connection, true);
  if (!superadmin) return fail(superadmin.error());
  return IdentityCounts{*users, *grants, *superadmin};
}

Result<> log_identities(store::Store& store, const std::filesystem::path& path) {
  const auto counts = store.read_now(count_identities);
  if (!counts) return fail(counts.error());
  log::log(log::Event::operator_store_loaded, {{"path", path.string()},
                                               {"users", counts->users},
                                               {"grants", counts->grants},
                                               {"superadmin_present", counts->superadmin}});
  return {};
}

}  // namespace portunus::server::auth
