#pragma once

#include <optional>
#include <string>

#include "common/base/result.hpp"

namespace portunus::server::store {

class Connection;

/// What an operator sets for the whole server (store-and-quotas 3). Functions of one transaction.

/// The endpoint that edges are told to dial, before every other source; nothing when none is set.
Result<std::optional<std::string>> advertised_override(Connection& connection);
/// Stores it as it is; nothing clears. Errc::constraint for an empty text.
Result<> set_advertised_override(Connection& connection,
                                 const std::optional<std::string>& endpoint);

}  // namespace portunus::server::store
