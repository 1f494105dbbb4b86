#pragma once

#include <cstddef>
#include <cstdint>

#include "common/base/result.hpp"

namespace portunus::server::store {

class Connection;

/// From minutes to hours, and their end (store-and-quotas 7). Instants are Unix seconds. Functions
/// of one transaction.

/// Start of the last hour that was rolled up; 0 = none.
Result<std::int64_t> rollup_mark(Connection& connection);
/// Replaces the rows of the hour that starts at `hour` by the sums of its minutes, which stay at
/// the greatest number rather than pass it, and moves the mark there unless it is further.
/// Repeated, it gives the same rows.
Result<> roll_up_hour(Connection& connection, std::int64_t hour);

/// Deletes at most `limit` samples that start before `before`, the oldest first; how many. A minute
/// stays until its hour is rolled up, however old it is.
Result<std::size_t> expire_minutes(Connection& connection, std::int64_t before, std::size_t limit);
Result<std::size_t> expire_hours(Connection& connection, std::int64_t before, std::size_t limit);
/// Ends the series that have no sample left.
Result<> remove_empty_series(Connection& connection);

}  // namespace portunus::server::store
