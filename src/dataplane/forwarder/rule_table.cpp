#include "dataplane/forwarder/rule_table.hpp"

#include <utility>

namespace portunus::dataplane {

void RuleTable::add(Rule rule) {
  const std::lock_guard lock(mutex_);
  const RuleId id = rule->rule()->id();
  live_.emplace(id, std::move(rule));
}

RuleTable::Rule RuleTable::find(RuleId id) const {
  const auto it = live_.find(id);
  return it == live_.end() ? nullptr : it->second;
}

RuleTable::Rule RuleTable::retire(RuleId id) {
  Rule rule = find(id);
  if (!rule) return rule;
  {
    const std::lock_guard lock(mutex_);
    live_.erase(id);
  }
  leaving_.push_back(rule);
  return rule;
}

RuleTable::Rule RuleTable::any_live() const {
  return live_.empty() ? nullptr : live_.begin()->second;
}

std::vector<RuleTable::Rule> RuleTable::leaving() {
  std::erase_if(leaving_, [](const Rule& rule) { return rule->gone(); });
  return leaving_;
}

}  // namespace portunus::dataplane
