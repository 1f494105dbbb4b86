#include "server/web_auth/setup_token.hpp"

#include "common/base/rfc3339.hpp"
#include "common/crypto/digest.hpp"
#include "common/crypto/random.hpp"
#include "common/log/logger.hpp"
#include "server/store/setup_token_store.hpp"
#include "server/store/user_store.hpp"
#include "server/web_auth/errc.hpp"

namespace portunus::server::web_auth {

Result<std::optional<Secret>> rotate_setup_token(store::Store& store, const Clock& clock) {
  const SystemTime now = clock.now();
  const SystemTime expires_at = now + kSetupTokenLife;
  const Secret token = crypto::random_token();
  const auto rotated = store.write_now([&](store::Connection& connection) -> Result<bool> {
    const auto closed = store::superadmin_exists(connection, true);
    if (!closed) return fail(closed.error());
    const auto done = *closed ? store::remove_setup_token(connection)
                              : store::put_setup_token(
                                    connection, {.token_hash = crypto::sha256_hex(token.reveal()),
                                                 .issued_at = now,
                                                 .expires_at = expires_at});
    if (!done) return fail(done.error());
    return !*closed;
  });
  if (!rotated) return fail(rotated.error());
  if (!*rotated) return std::nullopt;
  log::log(log::Event::onboarding_setup_token_rotated,
           {{"expires_at", format_rfc3339(expires_at)}});
  return token;
}

Result<> check_setup_token(store::Connection& connection, const Secret& token, SystemTime now) {
  if (token.empty()) return fail(Errc::setup_token_required);
  const auto row = store::find_setup_token(connection);
  if (!row) return fail(row.error());
  const std::string hash = crypto::sha256_hex(token.reveal());
  if (!*row || !crypto::equal_constant_time((*row)->token_hash, hash) ||
      now >= (*row)->expires_at) {
    return fail(Errc::setup_token_invalid);
  }
  return {};
}

}  // namespace portunus::server::web_auth
