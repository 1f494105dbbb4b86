#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "server/store/rows.hpp"

namespace portunus::server::store {

class Connection;

/// Monthly quotas: billing records that go by remove_quota() alone. Functions of one transaction.

/// Stores the row and gives it its id; the row's own is ignored. Errc::constraint when the user has
/// one on that client, for a value out of range, or a client that does not exist.
Result<std::int64_t> insert_quota(Connection& connection, const QuotaRow& quota);
Result<std::optional<QuotaRow>> find_quota(Connection& connection, const ClientRef& client,
                                           std::string_view user_id);
/// Every one, in no order.
Result<std::vector<QuotaRow>> list_quotas(Connection& connection);
/// Writes everything of the row of that id but its key, anchor and creation.
Result<> update_quota(Connection& connection, const QuotaRow& quota);
/// False when there was none.
Result<bool> remove_quota(Connection& connection, const ClientRef& client,
                          std::string_view user_id);

/// Quotas of the bare name belong to this new client from now on.
Result<> bind_quotas(Connection& connection, std::string_view name, std::string_view client_id);
Result<> rename_quotas(Connection& connection, std::string_view client_id, std::string_view name);
/// The client's quotas are under its bare name again. One that stood there beside the client, and
/// that no edge has been using, makes way.
Result<> unbind_quotas(Connection& connection, std::string_view client_id, std::string_view name);

}  // namespace portunus::server::store
