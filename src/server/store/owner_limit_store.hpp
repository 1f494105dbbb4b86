#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "server/store/rows.hpp"

namespace portunus::server::store {

class Connection;

/// The caps of owners on clients. Functions of one transaction.

/// Replaces what the owner has on that client. Errc::constraint for a value out of range, or a
/// client that does not exist.
Result<> put_owner_limit(Connection& connection, const OwnerLimitRow& limit);
Result<std::optional<OwnerLimitRow>> find_owner_limit(Connection& connection,
                                                      const ClientRef& client,
                                                      std::string_view owner_id);
/// Every one, in no order.
Result<std::vector<OwnerLimitRow>> list_owner_limits(Connection& connection);
/// False when there was none.
Result<bool> remove_owner_limit(Connection& connection, const ClientRef& client,
                                std::string_view owner_id);
/// Everything the owner has, on any client; where.
Result<std::vector<ClientRef>> remove_owner_limits_of(Connection& connection,
                                                      std::string_view owner_id);
/// After the removal of a rule: removes the owner's limit on its client unless he has another rule
/// there (store-and-quotas 3, cascades). True when a limit went.
Result<bool> collect_owner_limit(Connection& connection, const ClientRef& client,
                                 std::string_view owner_id);

/// Somebody with a rule or a limit on a client.
struct OwnerOnClient {
  std::string owner_id;
  bool has_limit = false;
  std::uint64_t rules = 0;  ///< of every state
};
/// Ascending by owner.
Result<std::vector<OwnerOnClient>> list_owners(Connection& connection, const ClientRef& client);

/// Limits of the bare name belong to this new client from now on.
Result<> bind_owner_limits(Connection& connection, std::string_view name,
                           std::string_view client_id);
Result<> rename_owner_limits(Connection& connection, std::string_view client_id,
                             std::string_view name);
/// The client's limits are under its bare name again, in place of those it had before.
Result<> unbind_owner_limits(Connection& connection, std::string_view client_id,
                             std::string_view name);

}  // namespace portunus::server::store
