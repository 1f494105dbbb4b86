#include "server/store/rule_removal.hpp"

#include <map>
#include <utility>

#include "server/store/connection.hpp"
#include "server/store/owner_limit_store.hpp"
#include "server/store/rule_store.hpp"

namespace portunus::server::store {
namespace {

Result<std::optional<RemovedRule>> find(Connection& connection, RuleId id) {
  return guarded([&]() -> Result<std::optional<RemovedRule>> {
    Query query(connection, "SELECT owner_id, client_id, client_name FROM rules WHERE rule_id = ?",
                id.value);
    if (!query.step()) return std::nullopt;
    return RemovedRule{id, query.text(0), {query.optional_text(1), query.text(2)}, false};
  });
}

}  // namespace

Result<std::optional<RemovedRule>> remove_rule_and_caps(Connection& connection, RuleId id) {
  auto rule = find(connection, id);
  if (!rule || !*rule) return rule;
  if (const auto gone = remove_rule(connection, id); !gone) return fail(gone.error());
  const auto caps = collect_owner_limit(connection, (*rule)->client, (*rule)->owner_id);
  if (!caps) return fail(caps.error());
  (*rule)->caps = *caps;
  return rule;
}

Result<std::vector<RemovedRule>> remove_rules_and_caps(Connection& connection,
                                                       std::span<const RuleRow> rules) {
  std::vector<RemovedRule> out;
  std::map<std::string, std::size_t> last;  // of each client: its last rule
  for (const RuleRow& rule : rules) {
    if (const auto gone = remove_rule(connection, rule.spec.id); !gone) return fail(gone.error());
    RemovedRule removed{
        rule.spec.id, rule.spec.owner_id, {rule.client_id, rule.client_name}, false};
    last[removed.client.key()] = out.size();
    out.push_back(std::move(removed));
  }
  for (const auto& [client, index] : last) {
    RemovedRule& rule = out[index];
    const auto caps = collect_owner_limit(connection, rule.client, rule.owner_id);
    if (!caps) return fail(caps.error());
    rule.caps = *caps;
  }
  return out;
}

}  // namespace portunus::server::store
