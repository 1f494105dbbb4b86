#include "server/people/credential_service.hpp"

#include <utility>

#include "common/async/shielded.hpp"
#include "common/base/ulid.hpp"
#include "common/crypto/digest.hpp"
#include "common/crypto/random.hpp"
#include "common/log/logger.hpp"
#include "server/people/errc.hpp"
#include "server/store/credential_store.hpp"
#include "server/store/user_store.hpp"

namespace portunus::server::people {

using store::Connection;
using store::CredentialRow;

namespace {

Result<> require_user(Connection& connection, const std::string& user_id) {
  return store::require_user(connection, user_id, {Errc::user_not_found, user_id});
}

Result<> require_credential(Connection& connection, const std::string& user_id,
                            const std::string& credential_id) {
  const auto row = store::find_credential(connection, credential_id);
  if (!row) return fail(row.error());
  if (!*row || (*row)->user_id != user_id) return fail(Errc::credential_not_found);
  return {};
}

Result<> insert_in(Connection& connection, const CredentialRow& row) {
  if (auto user = require_user(connection, row.user_id); !user) return user;
  return store::insert_credential(connection, row);
}

Result<> revoke_in(Connection& connection, const std::string& user_id,
                   const std::string& credential_id, SystemTime now) {
  if (auto there = require_credential(connection, user_id, credential_id); !there) return there;
  const auto revoked = store::revoke_credential(connection, credential_id, now);
  if (!revoked) return fail(revoked.error());
  return {};
}

}  // namespace

IssuedCredential CredentialService::make(std::string user_id,
                                         std::optional<std::string> label) const {
  IssuedCredential out{{}, crypto::random_token()};
  out.row.credential_id = make_ulid(clock_);
  out.row.user_id = std::move(user_id);
  out.row.token_hash = crypto::sha256_hex(out.token.reveal());
  out.row.label = std::move(label);
  out.row.created_at = clock_.now();
  return out;
}

async::Task<Result<std::vector<CredentialRow>>> CredentialService::list(std::string user_id) {
  auto load = [user_id](Connection& connection) {
    return store::list_credentials(connection, user_id);
  };
  co_return co_await store_.read(std::move(load));
}

async::Task<Result<IssuedCredential>> CredentialService::issue(std::string actor,
                                                               std::string user_id,
                                                               std::optional<std::string> label) {
  return async::shielded(do_issue(std::move(actor), std::move(user_id), std::move(label)));
}

async::Task<Result<>> CredentialService::revoke(std::string actor, std::string user_id,
                                                std::string credential_id) {
  return async::shielded(do_revoke(std::move(actor), std::move(user_id), std::move(credential_id)));
}

async::Task<Result<IssuedCredential>> CredentialService::rotate(std::string actor,
                                                                std::string user_id,
                                                                std::string credential_id,
                                                                std::optional<std::string> label) {
  return async::shielded(
      do_rotate(std::move(actor), std::move(user_id), std::move(credential_id), std::move(label)));
}

async::Task<Result<IssuedCredential>> CredentialService::do_issue(
    std::string actor, std::string user_id, std::optional<std::string> label) {
  IssuedCredential issued = make(user_id, std::move(label));
  auto write = [row = issued.row](Connection& connection) { return insert_in(connection, row); };
  const Result<> stored = co_await store_.write(std::move(write));
  if (!stored) co_return fail(stored.error());
  log::log(log::Event::operator_credential_issued, {{"actor", actor},
                                                    {"target", user_id},
                                                    {"credential_id", issued.row.credential_id},
                                                    {"outcome", "ok"}});
  co_return issued;
}

async::Task<Result<>> CredentialService::do_revoke(std::string actor, std::string user_id,
                                                   std::string credential_id) {
  auto write = [user_id, credential_id, now = clock_.now()](Connection& connection) {
    return revoke_in(connection, user_id, credential_id, now);
  };
  const Result<> done = co_await store_.write(std::move(write));
  if (!done) co_return fail(done.error());
  log::log(
      log::Event::operator_credential_revoked,
      {{"actor", actor}, {"target", user_id}, {"credential_id", credential_id}, {"outcome", "ok"}});
  co_return Result<>{};
}

async::Task<Result<IssuedCredential>> CredentialService::do_rotate(
    std::string actor, std::string user_id, std::string credential_id,
    std::optional<std::string> label) {
  IssuedCredential issued = make(user_id, std::move(label));
  auto write = [row = issued.row, credential_id](Connection& connection) -> Result<> {
    if (auto user = require_user(connection, row.user_id); !user) return user;
    auto revoked = revoke_in(connection, row.user_id, credential_id, row.created_at);
    if (!revoked) return revoked;
    return store::insert_credential(connection, row);
  };
  const Result<> stored = co_await store_.write(std::move(write));
  if (!stored) co_return fail(stored.error());
  log::log(log::Event::operator_credential_rotated, {{"actor", actor},
                                                     {"target", user_id},
                                                     {"old_credential", credential_id},
                                                     {"new_credential", issued.row.credential_id},
                                                     {"outcome", "ok"}});
  co_return issued;
}

}  // namespace portunus::server::people
