#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/base/ids.hpp"
#include "common/base/result.hpp"
#include "server/store/rows.hpp"

namespace portunus::server::store {

class Connection;

/// A rule that is gone, and what went with it.
struct RemovedRule {
  RuleId id;
  std::string owner_id;
  ClientRef client;
  /// It was the owner's last one on the client, and he had caps there.
  bool caps = false;
};

/// Takes a rule away with its targets and, after the owner's last rule on that client, his caps
/// there (store-and-quotas 3, cascades). A function of one transaction, of whatever cascade it is a
/// part; nothing when no such rule exists. After the commit rules::RuleService hears of it, which
/// tells the edge.
Result<std::optional<RemovedRule>> remove_rule_and_caps(Connection& connection, RuleId id);

/// The same for rules of one owner that have been read in this transaction, in their order. Whether
/// caps are left over is asked once per client, and told with its last rule.
Result<std::vector<RemovedRule>> remove_rules_and_caps(Connection& connection,
                                                       std::span<const RuleRow> rules);

}  // namespace portunus::server::store
