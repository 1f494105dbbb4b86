#pragma once

#include <chrono>
#include <optional>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "common/base/secret.hpp"
#include "server/store/store.hpp"

namespace portunus::server::web_auth {

/// From its issue; at the end itself it is invalid (http-api 3.6).
inline constexpr std::chrono::minutes kSetupTokenLife{30};

/// A new setup token in place of the old one while no enabled superadmin exists, else nothing; then
/// the old one goes too. Logs operator.onboarding_setup_token_rotated. Blocks: for start-up and
/// commands.
Result<std::optional<Secret>> rotate_setup_token(store::Store& store, const Clock& clock);

/// Whether `token` opens onboarding now: Errc::setup_token_required for an empty one, then
/// setup_token_invalid. Part of a transaction.
Result<> check_setup_token(store::Connection& connection, const Secret& token, SystemTime now);

}  // namespace portunus::server::web_auth
