#include "server/people/authorization.hpp"

#include "server/store/grant_store.hpp"

namespace portunus::server::people {

using model::GrantMiss;

Claim claim_of(const store::ClientRef& client, const model::RuleSpec& spec) {
  return {.client = client,
          .protocol = spec.protocol,
          .first_port = spec.listen_port,
          .last_port = static_cast<std::uint16_t>(spec.last_listen_port())};
}

std::optional<GrantMiss> find_miss(std::span<const store::GrantRow> grants, const Claim& claim) {
  GrantMiss miss = GrantMiss::client;
  for (const store::GrantRow& grant : grants) {
    if (!grant.names(claim.client)) continue;
    if (miss == GrantMiss::client) miss = GrantMiss::protocol;
    if (!grant.has(claim.protocol)) continue;
    miss = GrantMiss::ports;
    if (grant.listen_port_start <= claim.first_port && claim.last_port <= grant.listen_port_end) {
      return std::nullopt;
    }
  }
  return miss;
}

Result<std::optional<GrantMiss>> find_owners_miss(store::Connection& connection,
                                                  const store::ClientRef& client,
                                                  const model::RuleSpec& spec) {
  const auto grants = store::list_grants(connection, spec.owner_id);
  if (!grants) return fail(grants.error());
  return find_miss(*grants, claim_of(client, spec));
}

}  // namespace portunus::server::people
