#include "server/web_auth/sessions.hpp"

#include <algorithm>
#include <utility>

#include "common/crypto/digest.hpp"
#include "common/crypto/random.hpp"
#include "server/auth/errc.hpp"
#include "server/auth/token_match.hpp"
#include "server/store/session_store.hpp"
#include "server/store/user_store.hpp"

namespace portunus::server::web_auth {
namespace {

constexpr std::size_t kMaxCookieBytes = 256;
constexpr std::size_t kMaxAgentBytes = 256;

struct Found {
  store::SessionRow session;
  store::UserRow user;
};

/// The session of a cookie and its user; credential_invalid for none or a revoked one. Its age is
/// not judged.
Result<Found> find(store::Connection& connection, const Secret& cookie) {
  auth::TokenMatch match(cookie.reveal());
  const auto scanned = store::scan_session_hashes(connection, match.prefix(), match.visitor());
  if (!scanned) return fail(scanned.error());
  const auto session = store::find_session(connection, match.id());
  if (!session) return fail(session.error());
  if (!*session || (*session)->revoked_at) return fail(auth::Errc::credential_invalid);
  const auto user = store::find_user(connection, (*session)->user_id);
  if (!user) return fail(user.error());
  if (!*user) return fail(auth::Errc::credential_invalid);
  return Found{**session, **user};
}

Result<Found> find_while_open(store::Connection& connection, const Secret& cookie) {
  const auto open = store::superadmin_exists(connection, true);
  if (!open) return fail(open.error());
  if (!*open) return fail(auth::Errc::bootstrap_required);
  return find(connection, cookie);
}

bool over(const store::SessionRow& session, SystemTime last_use, SystemTime now) {
  return now > std::max(session.last_seen_at, last_use) + kSessionIdle || now > session.expires_at;
}

/// No secret of ours is that long, so nothing is hashed for it.
bool plausible(const Secret& cookie) {
  return !cookie.empty() && cookie.reveal().size() <= kMaxCookieBytes;
}

}  // namespace

auth::Identity session_identity(const store::UserRow& user) {
  return {.user_id = user.user_id,
          .display_name = user.display_name,
          .role = user.role,
          .credential_id = {},
          .session = true,
          .password_change_required = user.password_hash && user.password_change_required};
}

NewSession new_session(std::string user_id, std::string remote_address,
                       std::optional<std::string> user_agent, SystemTime now) {
  if (user_agent && user_agent->size() > kMaxAgentBytes) user_agent->resize(kMaxAgentBytes);
  Secret cookie = crypto::random_token();
  store::SessionRow row{.session_hash = crypto::sha256_hex(cookie.reveal()),
                        .user_id = std::move(user_id),
                        .created_at = now,
                        .last_seen_at = now,
                        .expires_at = now + kSessionAbsolute,
                        .revoked_at = std::nullopt,
                        .remote_address = std::move(remote_address),
                        .user_agent = std::move(user_agent)};
  return {std::move(cookie), std::move(row)};
}

async::Task<Result<auth::Identity>> Sessions::verify(Secret cookie) {
  const SystemTime now = clock_.now();
  // An empty one is looked up as well, for step 1; it belongs to no session.
  if (!plausible(cookie)) cookie = Secret();
  const std::string hash = crypto::sha256_hex(cookie.reveal());
  // Taken first: once it is written it may be gone from here, but then the store has it.
  const SystemTime last_use = unwritten_use(hash);
  auto look = [cookie = std::move(cookie)](store::Connection& connection) {
    return find_while_open(connection, cookie);
  };
  const Result<Found> found = co_await store_.read(std::move(look));
  if (!found) co_return fail(found.error());
  if (over(found->session, last_use, now)) co_return fail(auth::Errc::credential_invalid);
  if (found->user.disabled) co_return fail(auth::Errc::user_disabled);
  note_use(hash, now);
  co_return session_identity(found->user);
}

async::Task<Result<auth::Identity>> Sessions::revoke(Secret cookie) {
  if (!plausible(cookie)) co_return fail(auth::Errc::credential_invalid);
  const SystemTime now = clock_.now();
  const SystemTime last_use = unwritten_use(crypto::sha256_hex(cookie.reveal()));
  auto end = [cookie = std::move(cookie), last_use,
              now](store::Connection& connection) -> Result<auth::Identity> {
    const auto found = find(connection, cookie);
    if (!found) return fail(found.error());
    if (over(found->session, last_use, now)) return fail(auth::Errc::credential_invalid);
    const auto done = store::revoke_session(connection, found->session.session_hash, now);
    if (!done) return fail(done.error());
    return session_identity(found->user);
  };
  co_return co_await store_.write(std::move(end));
}

void Sessions::note_use(const std::string& session_hash, SystemTime now) {
  SystemTime& use = uses_[session_hash];
  use = std::max(use, now);
  if (!std::exchange(writing_, true)) gate_.spawn(write_uses());
}

async::Task<> Sessions::write_uses() {
  while (!uses_.empty()) {
    const std::map<std::string, SystemTime> batch = uses_;
    auto touch = [batch](store::Connection& connection) -> Result<> {
      for (const auto& [hash, use] : batch) {
        if (const auto done = store::touch_session(connection, hash, use); !done) return done;
      }
      return {};
    };
    const Result<> written = co_await store_.write(std::move(touch));
    // What could not be written stays valid here and goes along with the next use.
    if (!written) break;
    for (const auto& [hash, use] : batch) {
      const auto now = uses_.find(hash);
      if (now != uses_.end() && now->second == use) uses_.erase(now);
    }
  }
  writing_ = false;
}

SystemTime Sessions::unwritten_use(const std::string& session_hash) const {
  const auto use = uses_.find(session_hash);
  return use == uses_.end() ? SystemTime() : use->second;
}

}  // namespace portunus::server::web_auth
