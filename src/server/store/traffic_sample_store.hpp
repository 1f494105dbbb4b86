#pragma once

#include <cstdint>
#include <string_view>

#include "common/base/result.hpp"
#include "server/store/rows.hpp"

namespace portunus::server::store {

class Connection;

/// The traffic history: samples of series, one series per user and client. Functions of one
/// transaction.

/// Adds to the sample of the minute that starts at `start`, Unix seconds; a sum stays at the
/// greatest number rather than pass it. Of a minute that comes after its hour was rolled up (the
/// store was out of order, or the clock went back), the hour gets its share at once.
Result<> add_minute_sample(Connection& connection, const ClientRef& client,
                           std::string_view user_id, std::int64_t start, std::uint64_t bytes_in,
                           std::uint64_t bytes_out);

/// Series of the bare name go on under this new client.
Result<> bind_series(Connection& connection, std::string_view name, std::string_view client_id);
Result<> rename_series(Connection& connection, std::string_view client_id, std::string_view name);
/// The client's series are under its bare name again, added to what was there.
Result<> unbind_series(Connection& connection, std::string_view client_id, std::string_view name);

}  // namespace portunus::server::store
