#pragma once

#include <string_view>

#include "server/store/rows.hpp"

namespace portunus::server::rules {

/// Hears what the removal of a rule has taken with it; the composition root passes it on to the
/// owner caps, which the rules do not know. Domain executor; must not wait.
class RuleListener {
 public:
  virtual ~RuleListener() = default;
  /// It was the owner's last rule on that client: his caps there went in the same transaction
  /// (store-and-quotas 3, cascades).
  virtual void on_caps_collected(const store::ClientRef& client, std::string_view owner_id) = 0;
};

}  // namespace portunus::server::rules
