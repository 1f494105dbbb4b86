#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/async/task.hpp"
#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "common/base/secret.hpp"
#include "server/store/rows.hpp"
#include "server/store/store.hpp"

namespace portunus::server::people {

/// A new API token. The only moment at which its text exists.
struct IssuedCredential {
  store::CredentialRow row;
  Secret token;
};

/// API tokens of users (http-api 6.2). Lives on the domain executor; owned by the composition root.
/// `actor` is the id of who asks, already allowed to.
class CredentialService {
 public:
  CredentialService(store::Store& store, const Clock& clock) : store_(store), clock_(clock) {}

  /// Ascending by id; nothing of a user that does not exist.
  async::Task<Result<std::vector<store::CredentialRow>>> list(std::string user_id);
  /// user_not_found. Logs operator.credential_issued.
  async::Task<Result<IssuedCredential>> issue(std::string actor, std::string user_id,
                                              std::optional<std::string> label);
  /// Also of one that is revoked already. credential_not_found for an id that is no credential of
  /// that user. Logs operator.credential_revoked.
  async::Task<Result<>> revoke(std::string actor, std::string user_id, std::string credential_id);
  /// The old one is revoked in the transaction that stores the new one. user_not_found,
  /// credential_not_found. Logs operator.credential_rotated.
  async::Task<Result<IssuedCredential>> rotate(std::string actor, std::string user_id,
                                               std::string credential_id,
                                               std::optional<std::string> label);

 private:
  IssuedCredential make(std::string user_id, std::optional<std::string> label) const;
  async::Task<Result<IssuedCredential>> do_issue(std::string actor, std::string user_id,
                                                 std::optional<std::string> label);
  async::Task<Result<>> do_revoke(std::string actor, std::string user_id,
                                  std::string credential_id);
  async::Task<Result<IssuedCredential>> do_rotate(std::string actor, std::string user_id,
                                                  std::string credential_id,
                                                  std::optional<std::string> label);

  store::Store& store_;
  const Clock& clock_;
};

}  // namespace portunus::server::people
