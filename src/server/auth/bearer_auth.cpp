#include "server/auth/bearer_auth.hpp"

#include <chrono>
#include <utility>

#include "common/model/names.hpp"
#include "server/auth/errc.hpp"
#include "server/auth/token_match.hpp"
#include "server/store/credential_store.hpp"
#include "server/store/user_store.hpp"

namespace portunus::server::auth {
namespace {

constexpr std::string_view kScheme = "Bearer ";
constexpr std::size_t kMaxTokenBytes = 256;
/// last_used_at is not written again within this time, so that a busy caller costs no write per
/// request.
constexpr std::chrono::seconds kLastUsedStep{1};

/// The token of a header value; empty when it is absent, malformed or blank.
Secret bearer_token(std::optional<std::string_view> authorization) {
  if (!authorization || !authorization->starts_with(kScheme)) return {};
  return Secret(std::string(model::trim(authorization->substr(kScheme.size()))));
}

struct Verified {
  Identity identity;
  std::optional<SystemTime> last_used_at;
};

Result<Verified> verify(store::Connection& connection, const Secret& token) {
  const auto open = store::superadmin_exists(connection, true);
  if (!open) return fail(open.error());
  if (!*open) return fail(Errc::bootstrap_required);
  if (token.empty()) return fail(Errc::unauthenticated);
  if (token.reveal().size() > kMaxTokenBytes) return fail(Errc::credential_invalid);

  TokenMatch match(token.reveal());
  const auto scanned = store::scan_credential_hashes(connection, match.prefix(), match.visitor());
  if (!scanned) return fail(scanned.error());
  const auto credential = store::find_credential(connection, match.id());
  if (!credential) return fail(credential.error());
  if (!*credential || (*credential)->revoked_at) return fail(Errc::credential_invalid);
  const auto user = store::find_user(connection, (*credential)->user_id);
  if (!user) return fail(user.error());
  if (!*user) return fail(Errc::credential_invalid);
  if ((*user)->disabled) return fail(Errc::user_disabled);
  return Verified{.identity = {.user_id = (*user)->user_id,
                               .display_name = (*user)->display_name,
                               .role = (*user)->role,
                               .credential_id = (*credential)->credential_id},
                  .last_used_at = (*credential)->last_used_at};
}

}  // namespace

async::Task<Result<Identity>> BearerAuth::authenticate(
    std::optional<std::string_view> authorization) {
  auto look_up = [token = bearer_token(authorization)](store::Connection& connection) {
    return verify(connection, token);
  };
  const Result<Verified> verified = co_await store_.read(std::move(look_up));
  if (!verified) co_return fail(verified.error());

  const SystemTime now = clock_.now();
  if (!verified->last_used_at || now - *verified->last_used_at >= kLastUsedStep) {
    store_.write_later([id = verified->identity.credential_id, now](store::Connection& connection) {
      return store::touch_credential(connection, id, now);
    });
  }
  co_return verified->identity;
}

}  // namespace portunus::server::auth
