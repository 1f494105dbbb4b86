#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "server/store/hash_scan.hpp"
#include "server/store/rows.hpp"

namespace portunus::server::store {

class Connection;

/// Edges. Functions of one transaction; the changing ones answer false when no such client exists
/// and Errc::constraint for a name or hash that is taken. What is kept under a client, such as its
/// rules and quotas, follows it (store-and-quotas 3, "Client" as a key).

/// Takes over what was made for its bare name.
Result<> insert_client(Connection& connection, const ClientRow& client);
Result<std::optional<ClientRow>> find_client(Connection& connection, std::string_view client_id);
Result<std::optional<ClientRow>> find_client_by_name(Connection& connection, std::string_view name);
/// Ascending by name.
Result<std::vector<ClientRow>> list_clients(Connection& connection);
/// Of the rows whose hash begins with `prefix` (hex digits), revoked ones included: hash and
/// client id.
Result<> scan_client_hashes(Connection& connection, std::string_view prefix,
                            const HashVisitor& visit);

/// The new token serves from now on and a revocation is lifted.
Result<bool> rotate_client_token(Connection& connection, std::string_view client_id,
                                 std::string_view token_hash, SystemTime now);
/// False also for one that is revoked already.
Result<bool> revoke_client(Connection& connection, std::string_view client_id, SystemTime now);
Result<bool> set_client_address(Connection& connection, std::string_view client_id,
                                std::string_view address);
/// Its records and the unused codes under the old name follow.
Result<bool> rename_client(Connection& connection, std::string_view client_id,
                           std::string_view name);
/// Its unused codes go with it; its records stay under the bare name.
Result<bool> remove_client(Connection& connection, std::string_view client_id);

/// What a "client" key of a caller stands for (http-api 2).
struct ClientKey {
  enum class Kind : std::uint8_t {
    enrolled,    ///< `row` is set
    bare_name,   ///< a grammatical name that is not enrolled
    unknown_id,  ///< a canonical ULID that no client has
    bad_name,
  };
  Kind kind = Kind::bad_name;
  std::optional<ClientRow> row;
};
Result<ClientKey> resolve_client(Connection& connection, std::string_view key);
/// The same for those who take enrolled clients and bare names alike: the others fail with the
/// caller's error, which quotes the key.
Result<ClientRef> resolve_client_ref(Connection& connection, std::string_view key,
                                     std::error_code unknown_id, std::error_code bad_name);

}  // namespace portunus::server::store
