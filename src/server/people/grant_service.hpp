#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "common/async/task.hpp"
#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "server/people/people_listener.hpp"
#include "server/store/rows.hpp"
#include "server/store/store.hpp"

namespace portunus::server::people {

/// A grant as an operator asks for it: decoded, nothing checked yet.
struct NewGrant {
  std::string user_id;
  std::string client;  ///< "*", name or id
  std::uint16_t listen_port_start = 0;
  std::uint16_t listen_port_end = 0;
  std::vector<std::string> protocols;
  std::optional<std::string> note = {};
};

struct RevokedGrant {
  std::string grant_id;
  std::vector<std::uint64_t> rule_ids;  ///< that nothing covers any more, ascending
};

/// The clients that a user's grants name (http-api 4, read filtering).
class VisibleClients {
 public:
  VisibleClients() = default;
  explicit VisibleClients(const std::vector<store::GrantRow>& grants);
  bool contains(const store::ClientRef& client) const;

 private:
  bool every_ = false;
  std::unordered_set<std::string> keys_;  ///< ClientRef::key()
};

/// Grants (http-api 6.3). Lives on the domain executor; owned by the composition root. `actor` is
/// the id of who asks, already allowed to.
class GrantService {
 public:
  GrantService(store::Store& store, const Clock& clock) : store_(store), clock_(clock) {}
  void set_listener(PeopleListener* listener) { listener_ = listener; }

  /// Of one user, or of all; ascending by id. invalid_user_id.
  async::Task<Result<std::vector<store::GrantRow>>> list(std::optional<std::string> user_id);
  async::Task<Result<VisibleClients>> visible_clients(std::string user_id);
  /// Errors in the order of http-api 6.3. Logs operator.grant_added.
  async::Task<Result<store::GrantRow>> add(std::string actor, NewGrant wanted);
  /// With the rules of that user which his other grants do not cover, in one transaction; then the
  /// edges are told. grant_not_found. Logs operator.grant_revoked.
  async::Task<Result<RevokedGrant>> revoke(std::string actor, std::string grant_id);

 private:
  async::Task<Result<store::GrantRow>> insert(std::string actor, NewGrant wanted);
  async::Task<Result<RevokedGrant>> erase(std::string actor, std::string grant_id);

  store::Store& store_;
  const Clock& clock_;
  PeopleListener* listener_ = nullptr;
};

}  // namespace portunus::server::people
