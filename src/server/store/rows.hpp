#pragma once

#include <compare>
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
  std::optional<std::string> password_hash = {};  ///< PHC string; none = no password
  bool password_change_required = false;
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

/// A client as a key (store-and-quotas 3): its id where the name is enrolled, otherwise the bare
/// name. The name is that of the present in both cases.
struct ClientRef {
  std::optional<std::string> client_id;
  std::string client_name;

  /// One text per key: no name and no id begins with a slash.
  std::string key() const { return client_id ? *client_id : "/" + client_name; }
  friend bool operator==(const ClientRef&, const ClientRef&) = default;
};

/// What one user may push: any of the protocols on ports of the range, on one client or on all.
struct GrantRow {
  std::string grant_id;  ///< ULID
  std::string user_id;
  std::optional<ClientRef> client;  ///< none = every client
  std::uint16_t listen_port_start = 0;
  std::uint16_t listen_port_end = 0;  ///< inclusive
  bool tcp = false;
  bool udp = false;
  std::optional<std::string> note = {};
  SystemTime created_at;

  /// Whether the grant is for this client, as for every other or by itself.
  bool names(const ClientRef& other) const { return !client || client->key() == other.key(); }
  bool has(model::Protocol protocol) const { return protocol == model::Protocol::udp ? udp : tcp; }
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

/// What a user signs in with.
struct PasswordRow {
  std::string user_id;
  std::string password_hash;     ///< PHC string
  bool change_required = false;  ///< a session may do nothing else first
};

/// A browser that has signed in. The cookie's secret is never stored.
struct SessionRow {
  std::string session_hash;  ///< lower-case hex SHA-256
  std::string user_id;
  SystemTime created_at;
  SystemTime last_seen_at;
  SystemTime expires_at;  ///< whatever happens
  std::optional<SystemTime> revoked_at;
  std::string remote_address;  ///< of the login, without port
  std::optional<std::string> user_agent;
};

/// Whose failures count together (http-api 3.5).
struct AttemptKey {
  enum class Action : std::uint8_t { login, onboarding, password_reset };
  Action action = Action::login;
  std::string subject;
  std::string remote_address;
  friend auto operator<=>(const AttemptKey&, const AttemptKey&) = default;
};

/// The failures of one burst.
struct AttemptRow {
  int failures = 0;
  SystemTime first_failed_at;
  SystemTime last_failed_at;
  std::optional<SystemTime> locked_until;
  friend bool operator==(const AttemptRow&, const AttemptRow&) = default;
};

/// What opens onboarding; there is one at most.
struct SetupTokenRow {
  std::string token_hash;
  SystemTime issued_at;
  SystemTime expires_at;
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

/// The caps of one owner over all his rules on one client.
struct OwnerLimitRow {
  ClientRef client;
  std::string owner_id;
  model::RateLimit limit;
  SystemTime updated_at;
};

/// A monthly byte budget of one user on one client (store-and-quotas 6.1). Instants are Unix
/// seconds; updated_at is that of the last write of any kind.
struct QuotaRow {
  std::int64_t id = 0;
  std::string user_id;
  ClientRef client;
  std::int64_t monthly_bytes = 0;
  std::int64_t billing_anchor = 0;
  std::int64_t period_started_at = 0;
  std::int64_t bytes_used = 0;
  std::optional<std::int64_t> exhausted_at;
  std::int64_t created_at = 0;
  std::int64_t updated_at = 0;
  friend bool operator==(const QuotaRow&, const QuotaRow&) = default;
};

}  // namespace portunus::server::store
