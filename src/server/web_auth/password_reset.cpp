#include "server/web_auth/password_reset.hpp"

#include <fmt/format.h>

#include <utility>

#include "common/crypto/random.hpp"
#include "common/model/names.hpp"
#include "server/auth/errc.hpp"
#include "server/auth/password.hpp"
#include "server/store/login_attempt_store.hpp"
#include "server/store/password_store.hpp"
#include "server/store/session_store.hpp"
#include "server/store/user_store.hpp"
#include "server/web_auth/errc.hpp"
#include "server/web_auth/web_auth.hpp"

namespace portunus::server::web_auth {
namespace {

Result<> require_user(store::Connection& connection, std::string_view user_id) {
  return store::require_user(connection, user_id, Errc::user_not_found);
}

Result<> check_given(const ResetRequest& request) {
  return request.password ? auth::check_password(*request.password) : Result<>();
}

/// What an administrator got wrong, as far as failures count.
bool counts(const Error& error) {
  return error == Errc::user_not_found || error == auth::Errc::password_too_short ||
         error == auth::Errc::password_too_long;
}

}  // namespace

std::string reset_details(const PasswordReset& reset, bool by_local_cli) {
  const auto flag = [](bool set) { return set ? "true" : "false"; };
  return fmt::format(
      R"({{"sessions_revoked":{},"api_tokens_revoked":{},"temporary_password_generated":{},)"
      R"("password_change_required":{},"api_tokens_kept":{}{}}})",
      reset.sessions_revoked, reset.api_tokens_revoked, flag(reset.generated.has_value()),
      flag(reset.change_required), flag(reset.api_tokens_kept),
      by_local_cli ? R"(,"source":"local_cli")" : "");
}

ResetPlan plan_reset(const ResetRequest& request) {
  ResetPlan plan;
  plan.outcome.user_id = request.user_id;
  plan.outcome.change_required = request.temporary || !request.password;
  plan.outcome.api_tokens_kept = request.keep_api_tokens;
  if (request.password) {
    plan.password = *request.password;
  } else {
    plan.password = crypto::random_token();
    plan.outcome.generated = plan.password;
  }
  return plan;
}

Result<PasswordReset> apply_reset(store::Connection& connection, PasswordReset plan,
                                  const std::string& password_hash, SystemTime now) {
  const auto user = require_user(connection, plan.user_id);
  if (!user) return fail(user.error());
  const auto set = store::put_password(connection, {.user_id = plan.user_id,
                                                    .password_hash = password_hash,
                                                    .change_required = plan.change_required});
  if (!set) return fail(set.error());
  const auto sessions =
      store::revoke_sessions_of(connection, plan.user_id, now, now - kSessionIdle);
  if (!sessions) return fail(sessions.error());
  plan.sessions_revoked = *sessions;
  if (!plan.api_tokens_kept) {
    const auto tokens = store::revoke_credentials_of(connection, plan.user_id, now);
    if (!tokens) return fail(tokens.error());
    plan.api_tokens_revoked = *tokens;
  }
  return plan;
}

Result<PasswordReset> reset_password_now(store::Store& store, const ResetRequest& request,
                                         const Clock& clock) {
  if (const auto fit = check_given(request); !fit) return fail(fit.error());
  const auto known = store.read_now(
      [&](store::Connection& connection) { return require_user(connection, request.user_id); });
  if (!known) return fail(known.error());
  ResetPlan plan = plan_reset(request);
  const auto hash = auth::hash_password(plan.password);
  if (!hash) return fail(hash.error());
  return store.write_now([&](store::Connection& connection) {
    return apply_reset(connection, plan.outcome, *hash, clock.now());
  });
}

async::Task<Result<PasswordReset>> WebAuth::reset_password(ResetRequest request, Peer peer) {
  if (!model::is_user_id(request.user_id) && !model::is_reserved_user_id(request.user_id)) {
    co_return fail(Errc::invalid_user_id);
  }
  const auto turn = co_await throttle_.enter({.action = store::AttemptKey::Action::password_reset,
                                              .subject = request.user_id,
                                              .remote_address = std::move(peer.address)});
  if (!turn) co_return fail(turn.error());
  Result<PasswordReset> done = co_await try_reset(std::move(request), turn->key());
  if (done || !counts(done.error())) co_return done;
  Error refusal = co_await counted(done.error(), turn->key());
  co_return fail(std::move(refusal));
}

async::Task<Result<PasswordReset>> WebAuth::try_reset(ResetRequest request, store::AttemptKey key) {
  if (const auto fit = check_given(request); !fit) co_return fail(fit.error());
  auto look = [id = request.user_id](store::Connection& connection) {
    return require_user(connection, id);
  };
  const Result<> known = co_await store_.read(std::move(look));
  if (!known) co_return fail(known.error());
  const ResetPlan plan = plan_reset(request);
  const Result<std::string> hash = co_await hasher_.hash(plan.password);
  if (!hash) co_return fail(hash.error());
  auto apply = [outcome = plan.outcome, hash = *hash, key = std::move(key),
                now = clock_.now()](store::Connection& connection) -> Result<PasswordReset> {
    auto done = apply_reset(connection, outcome, hash, now);
    if (!done) return done;
    if (const auto gone = store::remove_attempts(connection, key); !gone) return fail(gone.error());
    return done;
  };
  co_return co_await store_.write(std::move(apply));
}

}  // namespace portunus::server::web_auth
