#pragma once

#include <cstddef>
#include <string>

#include "common/base/result.hpp"
#include "common/base/secret.hpp"

namespace portunus::server::auth {

// Passwords and their hashes (http-api 3.7). hash_password and verify_password take some 20 MiB and
// tens of milliseconds of the calling thread: an event loop asks PasswordHasher, only commands call
// them themselves.

inline constexpr std::size_t kMinPasswordChars = 12;  ///< Unicode scalar values
inline constexpr std::size_t kMaxPasswordBytes = 1024;

/// The policy: Errc::password_too_short, Errc::password_too_long. `password` is UTF-8.
Result<> check_password(const Secret& password);

/// A PHC string of Argon2id with the contract's costs and a fresh salt. Errc::password_hash_failed.
Result<std::string> hash_password(const Secret& password);

/// Whether `password` is the one behind a PHC string of any Argon2 type, version and cost; one run
/// of Argon2 in every case. What is no such string belongs to no password.
/// Errc::password_hash_failed for want of memory.
Result<bool> verify_password(const std::string& phc, const Secret& password);

/// Of no password, with the cost of those that hash_password makes: checked where there is no real
/// one, so that the time taken tells nothing.
const std::string& dummy_password_hash();

}  // namespace portunus::server::auth
