#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "server/store/hash_scan.hpp"
#include "server/store/rows.hpp"

namespace portunus::server::store {

class Connection;

/// One-time join codes. Functions of one transaction.

/// Clears what was used or expired more than a day ago, voids the unused codes of the row's name
/// and stores the row; its id is ignored, the new one returned.
Result<std::int64_t> insert_enrollment(Connection& connection, const EnrollmentRow& row);
Result<std::optional<EnrollmentRow>> find_enrollment(Connection& connection, std::int64_t id);
/// Every row: hash and decimal id.
Result<> scan_enrollment_hashes(Connection& connection, const HashVisitor& visit);
/// False when it is used already.
Result<bool> consume_enrollment(Connection& connection, std::int64_t id, SystemTime now);
/// The code of a renamed client follows it; a code that waited under the new name is dropped, or
/// its redeemer would take the renamed client over.
Result<> rename_unused_enrollment(Connection& connection, std::string_view from,
                                  std::string_view to);
Result<> remove_unused_enrollment(Connection& connection, std::string_view client_name);

}  // namespace portunus::server::store
