#pragma once

#include <optional>

#include "common/base/result.hpp"
#include "server/store/rows.hpp"

namespace portunus::server::store {

class Connection;

/// The one token that opens onboarding. Functions of one transaction.

/// Replaces whatever is there.
Result<> put_setup_token(Connection& connection, const SetupTokenRow& token);
Result<std::optional<SetupTokenRow>> find_setup_token(Connection& connection);
Result<> remove_setup_token(Connection& connection);

}  // namespace portunus::server::store
