#include <utility>

#include "server/store/login_attempt_store.hpp"
#include "server/store/session_store.hpp"
#include "server/store/user_store.hpp"
#include "server/web_auth/errc.hpp"
#include "server/web_auth/web_auth.hpp"

namespace portunus::server::web_auth {
namespace {

/// What can be signed in to: an enabled user with a password.
Result<std::optional<store::UserRow>> find_account(store::Connection& connection,
                                                   const std::string& user_id) {
  auto user = store::find_user(connection, user_id);
  if (user && *user && ((*user)->disabled || !(*user)->password_hash)) return std::nullopt;
  return user;
}

/// The session's row, and who has it. Errc::invalid_login when the account is not the one any more
/// whose password was checked.
Result<auth::Identity> begin_session(store::Connection& connection,
                                     const store::SessionRow& session,
                                     const std::string& checked_hash,
                                     const store::AttemptKey& key) {
  const auto account = find_account(connection, session.user_id);
  if (!account) return fail(account.error());
  if (!*account || (*account)->password_hash != checked_hash) return fail(Errc::invalid_login);
  const auto cleaned = store::remove_sessions_ended(connection, session.created_at);
  if (!cleaned) return fail(cleaned.error());
  const auto kept = store::insert_session(connection, session);
  if (!kept) return fail(kept.error());
  const auto forgiven = store::remove_attempts(connection, key);
  if (!forgiven) return fail(forgiven.error());
  return session_identity(**account);
}

}  // namespace

async::Task<Result<LoggedIn>> WebAuth::log_in(LoginRequest request, Peer peer) {
  const auto turn = co_await throttle_.enter(login_key(request.user_id, peer.address));
  if (!turn) co_return fail(turn.error());
  Result<LoggedIn> done = co_await try_login(std::move(request), std::move(peer), turn->key());
  if (done || done.error() != make_error_code(Errc::invalid_login)) co_return done;
  Error refusal = co_await counted(done.error(), turn->key());
  co_return fail(std::move(refusal));
}

async::Task<Result<LoggedIn>> WebAuth::try_login(LoginRequest request, Peer peer,
                                                 store::AttemptKey key) {
  auto look = [id = request.user_id](store::Connection& connection) {
    return find_account(connection, id);
  };
  const auto account = co_await store_.read(std::move(look));
  if (!account) co_return fail(account.error());
  std::optional<std::string> hash;
  if (*account) hash = (*account)->password_hash;
  const Result<bool> right = co_await hasher_.verify(hash, std::move(request.password));
  if (!right) co_return fail(right.error());
  if (!*right) co_return fail(Errc::invalid_login);

  NewSession session = new_session(std::move(request.user_id), std::move(peer.address),
                                   std::move(peer.user_agent), clock_.now());
  auto begin = [row = std::move(session.row), hash = *hash,
                key = std::move(key)](store::Connection& connection) {
    return begin_session(connection, row, hash, key);
  };
  const Result<auth::Identity> who = co_await store_.write(std::move(begin));
  if (!who) co_return fail(who.error());
  co_return LoggedIn{std::move(session.cookie), *who};
}

}  // namespace portunus::server::web_auth
