#include <utility>

#include "server/auth/password.hpp"
#include "server/store/login_attempt_store.hpp"
#include "server/store/password_store.hpp"
#include "server/web_auth/errc.hpp"
#include "server/web_auth/web_auth.hpp"

namespace portunus::server::web_auth {

async::Task<Result<>> WebAuth::change_password(std::string user_id, PasswordChange change,
                                               Peer peer) {
  if (change.wanted.reveal() != change.wanted_confirm.reveal()) {
    co_return fail(Errc::password_mismatch);
  }
  const auto turn = co_await throttle_.enter(login_key(user_id, std::move(peer.address)));
  if (!turn) co_return fail(turn.error());
  Result<> done = co_await try_change(std::move(user_id), std::move(change), turn->key());
  if (done || done.error() != make_error_code(Errc::invalid_login)) co_return done;
  Error refusal = co_await counted(done.error(), turn->key());
  co_return fail(std::move(refusal));
}

async::Task<Result<>> WebAuth::try_change(std::string user_id, PasswordChange change,
                                          store::AttemptKey key) {
  auto look = [user_id](store::Connection& connection) {
    return store::find_password(connection, user_id);
  };
  const auto before = co_await store_.read(std::move(look));
  if (!before) co_return fail(before.error());
  std::optional<std::string> old_hash;
  if (*before) old_hash = (*before)->password_hash;
  const Result<bool> right = co_await hasher_.verify(old_hash, std::move(change.current));
  if (!right) co_return fail(right.error());
  if (!*right) co_return fail(Errc::invalid_login);
  if (const auto fit = auth::check_password(change.wanted); !fit) co_return fail(fit.error());
  const Result<std::string> hash = co_await hasher_.hash(std::move(change.wanted));
  if (!hash) co_return fail(hash.error());

  auto replace = [user_id = std::move(user_id), old_hash = *old_hash, hash = *hash,
                  key = std::move(key)](store::Connection& connection) -> Result<> {
    const auto current = store::find_password(connection, user_id);
    if (!current) return fail(current.error());
    // Somebody else set it meanwhile: what was proven is the old one.
    if (!*current || (*current)->password_hash != old_hash) return fail(Errc::invalid_login);
    const auto kept = store::put_password(
        connection, {.user_id = user_id, .password_hash = hash, .change_required = false});
    if (!kept) return kept;
    return store::remove_attempts(connection, key);
  };
  co_return co_await store_.write(std::move(replace));
}

}  // namespace portunus::server::web_auth
