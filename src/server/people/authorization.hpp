#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "common/base/result.hpp"
#include "common/model/grant_miss.hpp"
#include "common/model/rule.hpp"
#include "server/store/rows.hpp"

namespace portunus::server::store {
class Connection;
}

namespace portunus::server::people {

/// What a rule listens on, and where.
struct Claim {
  store::ClientRef client;
  model::Protocol protocol = model::Protocol::tcp;
  std::uint16_t first_port = 0;
  std::uint16_t last_port = 0;
};
Claim claim_of(const store::ClientRef& client, const model::RuleSpec& spec);

/// What is missing for the claim among these grants of one user, the first miss of http-api 4;
/// nothing when one of them covers all of it. Two grants never add up. Pure.
std::optional<model::GrantMiss> find_miss(std::span<const store::GrantRow> grants,
                                          const Claim& claim);

/// The same with the grants that the rule's owner has in this transaction. Touches nothing but the
/// connection; the composition root gives it to the rules (rules::PushRights).
Result<std::optional<model::GrantMiss>> find_owners_miss(store::Connection& connection,
                                                         const store::ClientRef& client,
                                                         const model::RuleSpec& spec);

}  // namespace portunus::server::people
