#pragma once

#include <span>
#include <string_view>

#include "server/store/rows.hpp"
#include "server/store/rule_removal.hpp"

namespace portunus::server::people {

/// Hears after the commit what went with a user or a grant; the composition root passes it on to
/// the rules and the owner caps, which people do not know. Domain executor; must not wait.
class PeopleListener {
 public:
  virtual ~PeopleListener() = default;
  /// Ascending by id.
  virtual void on_rules_removed(std::span<const store::RemovedRule> rules) = 0;
  /// Caps of a user who is gone, on a client where he had no rule.
  virtual void on_caps_removed(const store::ClientRef& client, std::string_view owner_id) = 0;
};

}  // namespace portunus::server::people
