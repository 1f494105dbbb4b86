#include <utility>

#include "common/model/names.hpp"
#include "server/auth/errc.hpp"
#include "server/auth/password.hpp"
#include "server/store/login_attempt_store.hpp"
#include "server/store/password_store.hpp"
#include "server/store/setup_token_store.hpp"
#include "server/store/user_store.hpp"
#include "server/web_auth/errc.hpp"
#include "server/web_auth/setup_token.hpp"
#include "server/web_auth/web_auth.hpp"

namespace portunus::server::web_auth {
namespace {

Result<> require_open(store::Connection& connection) {
  const auto closed = store::superadmin_exists(connection, true);
  if (!closed) return fail(closed.error());
  if (*closed) return fail(auth::Errc::already_bootstrapped);
  return {};
}

/// The fields after the token, in the order of http-api 5.1; the display name as it is kept.
Result<std::string> check_fields(const OnboardingRequest& request) {
  if (request.user_id.starts_with('_')) return fail(Errc::reserved_user_id);
  if (!model::is_user_id(request.user_id)) return fail(Errc::invalid_user_id);
  auto name = model::parse_display_name(request.display_name);
  if (!name) return fail(auth::Errc::invalid_display_name);
  if (request.password.reveal() != request.password_confirm.reveal()) {
    return fail(Errc::password_mismatch);
  }
  if (const auto fit = auth::check_password(request.password); !fit) return fail(fit.error());
  return std::move(*name);
}

struct FirstAdmin {
  store::UserRow user;
  std::string password_hash;
  Secret setup_token;
};

/// All that makes onboarding one step: open, token, user, password.
Result<> create(store::Connection& connection, const FirstAdmin& admin) {
  if (const auto open = require_open(connection); !open) return open;
  const SystemTime now = admin.user.created_at;
  const auto token = check_setup_token(connection, admin.setup_token, now);
  if (!token) return token;
  const auto taken = store::find_user(connection, admin.user.user_id);
  if (!taken) return fail(taken.error());
  if (*taken) return fail(Errc::user_already_exists);
  const auto added = store::insert_user(connection, admin.user);
  if (!added) return added;
  const auto set = store::put_password(connection, {.user_id = admin.user.user_id,
                                                    .password_hash = admin.password_hash,
                                                    .change_required = false});
  if (!set) return set;
  return store::remove_setup_token(connection);
}

/// Faults of ours and a race that somebody else has won are no failed attempts.
bool counts(const Error& error) {
  if (error.code.category() == category()) return error != make_error_code(Errc::rate_limited);
  return error == auth::Errc::invalid_display_name || error == auth::Errc::password_too_short ||
         error == auth::Errc::password_too_long;
}

}  // namespace

async::Task<Result<auth::Identity>> WebAuth::onboard(OnboardingRequest request, Peer peer) {
  auto look = [](store::Connection& connection) { return require_open(connection); };
  const Result<> open = co_await store_.read(std::move(look));
  if (!open) co_return fail(open.error());
  const auto turn = co_await throttle_.enter({.action = store::AttemptKey::Action::onboarding,
                                              .subject = request.setup_token.empty()
                                                             ? "_onboarding_setup_token_missing"
                                                             : "_onboarding_setup_token_present",
                                              .remote_address = std::move(peer.address)});
  if (!turn) co_return fail(turn.error());
  Result<auth::Identity> done = co_await try_onboarding(std::move(request), turn->key());
  if (done || !counts(done.error())) co_return done;
  Error refusal = co_await counted(done.error(), turn->key());
  co_return fail(std::move(refusal));
}

async::Task<Result<auth::Identity>> WebAuth::try_onboarding(OnboardingRequest request,
                                                            store::AttemptKey key) {
  // Before the fields are judged and anything is hashed; the transaction looks again.
  auto look = [token = request.setup_token,
               now = clock_.now()](store::Connection& connection) -> Result<> {
    if (const auto open = require_open(connection); !open) return open;
    return check_setup_token(connection, token, now);
  };
  const Result<> admitted = co_await store_.read(std::move(look));
  if (!admitted) co_return fail(admitted.error());
  const Result<std::string> display_name = check_fields(request);
  if (!display_name) co_return fail(display_name.error());
  const Result<std::string> hash = co_await hasher_.hash(std::move(request.password));
  if (!hash) co_return fail(hash.error());

  const FirstAdmin admin{.user = {.user_id = std::move(request.user_id),
                                  .display_name = *display_name,
                                  .role = store::Role::superadmin,
                                  .disabled = false,
                                  .created_at = clock_.now()},
                         .password_hash = *hash,
                         .setup_token = std::move(request.setup_token)};
  auto make = [admin, key = std::move(key)](store::Connection& connection) -> Result<> {
    if (const auto made = create(connection, admin); !made) return made;
    return store::remove_attempts(connection, key);
  };
  const Result<> made = co_await store_.write(std::move(make));
  if (!made) co_return fail(made.error());
  co_return auth::Identity{.user_id = admin.user.user_id,
                           .display_name = admin.user.display_name,
                           .role = admin.user.role,
                           .credential_id = {}};
}

}  // namespace portunus::server::web_auth
