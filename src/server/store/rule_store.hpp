#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "server/store/rows.hpp"

namespace portunus::server::store {

class Connection;

/// Rules. Functions of one transaction; the changing ones answer false when no such rule exists.

/// Stores the row with its targets and gives it the next id; the row's own is ignored.
/// Errc::constraint for a value out of range, or an owner or client that does not exist.
Result<RuleId> insert_rule(Connection& connection, const RuleRow& rule);
/// Ascending by id.
Result<std::vector<RuleRow>> list_rules(Connection& connection);
/// Those of one owner without their targets, ascending by id.
Result<std::vector<RuleRow>> list_rules_of(Connection& connection, std::string_view owner_id);
/// `reason` counts only for failed.
Result<bool> set_rule_state(Connection& connection, RuleId id, RuleState state,
                            std::string_view reason, SystemTime now);
/// Replaces the caps; none removes them.
Result<bool> set_rule_limit(Connection& connection, RuleId id,
                            const std::optional<model::RateLimit>& limit);
/// Its targets go with it.
Result<bool> remove_rule(Connection& connection, RuleId id);

/// Rules made for a name that was not enrolled belong to this client from now on.
Result<> bind_rules(Connection& connection, std::string_view name, std::string_view client_id);
/// The rules of a renamed client carry its new name.
Result<> rename_rules(Connection& connection, std::string_view client_id, std::string_view name);

}  // namespace portunus::server::store
