#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/base/clock.hpp"
#include "common/base/ids.hpp"
#include "common/model/rule.hpp"

namespace portunus::server::store {

/// Rows as the entity stores read and write them, already validated on the way in.

enum class Role : std::uint8_t { superadmin, user };

struct UserRow {
  std::string user_id;
  std::string display_name;
  Role role = Role::user;
  bool disabled = false;
  SystemTime created_at;
};

/// An API token. The raw token is never stored.
struct CredentialRow {
  std::string credential_id;  ///< ULID
  std::string user_id;
  std::string token_hash;  ///< lower-case hex SHA-256
  std::optional<std::string> label;
  SystemTime created_at;
  std::optional<SystemTime> last_used_at;
  std::optional<SystemTime> revoked_at;
};

/// An edge, known from its first redeemed enrollment on.
struct ClientRow {
  std::string client_id;  ///< ULID, for life
  std::string name;       ///< unique
  std::string token_hash;
  SystemTime provisioned_at;  ///< issue time of the current token
  std::optional<SystemTime> revoked_at;
  std::optional<std::string> address;
};

/// A one-time join code.
struct EnrollmentRow {
  std::int64_t id = 0;
  std::string client_name;
  std::optional<std::string> address;
  std::string code_hash;
  SystemTime created_at;
  SystemTime expires_at;
  std::optional<SystemTime> consumed_at;  ///< redeemed or voided by a newer code
  std::optional<std::string> endpoint;    ///< advertised endpoint frozen at creation
};

enum class RuleState : std::uint8_t { pending, active, failed };

struct RuleRow {
  model::RuleSpec spec;  ///< spec.owner_id is the owning user
  /// The client's id where its name is enrolled, otherwise none (store-and-quotas 3, "Client").
  std::optional<std::string> client_id;
  std::string client_name;
  RuleState state = RuleState::pending;
  std::string failure_reason;  ///< set while failed
  SystemTime created_at;
  SystemTime last_state_change_at;
};

}  // namespace portunus::server::store
