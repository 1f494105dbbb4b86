#pragma once

#include <optional>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "server/store/rows.hpp"

namespace portunus::server::store {

class Connection;

/// Failed attempts to get in. Functions of one transaction.
Result<std::optional<AttemptRow>> find_attempts(Connection& connection, const AttemptKey& key);
Result<> put_attempts(Connection& connection, const AttemptKey& key, const AttemptRow& attempts);
Result<> remove_attempts(Connection& connection, const AttemptKey& key);
/// Of every key, what failed last before `before`.
Result<> remove_attempts_before(Connection& connection, SystemTime before);

}  // namespace portunus::server::store
