#pragma once

#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "common/base/ids.hpp"
#include "dataplane/forwarder/active_rule.hpp"

namespace portunus::dataplane {

/// The rules of an engine: those that are live, and those that were removed and still drain.
/// Changed by the owner's thread alone, who therefore reads it freely; the mutex is for
/// for_each_live(), which any thread may call. No packet ever meets it.
class RuleTable {
 public:
  using Rule = std::shared_ptr<ActiveRule>;

  void add(Rule rule);
  /// Null when the id is not live.
  Rule find(RuleId id) const;
  /// No longer live: it drains from now on. Null as before.
  Rule retire(RuleId id);
  /// Any of the live ones; null when there is none.
  Rule any_live() const;
  /// Those that still drain.
  std::vector<Rule> leaving();

  template <class Visit>
  void for_each_live(const Visit& visit) const {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, rule] : live_) visit(*rule);
  }

 private:
  std::unordered_map<RuleId, Rule> live_;
  mutable std::mutex mutex_;
  std::vector<Rule> leaving_;
};

}  // namespace portunus::dataplane
