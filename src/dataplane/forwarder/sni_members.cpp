#include "dataplane/forwarder/sni_members.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "common/base/assert.hpp"

namespace portunus::dataplane {

std::optional<std::string_view> SniMembers::conflict(const model::RuleSpec& rule) const {
  for (const auto& member : rules_) {
    if (member->spec().sni_pattern != rule.sni_pattern) continue;
    return rule.sni_pattern ? "pattern already present" : "fallback already present";
  }
  return std::nullopt;
}

void SniMembers::add(std::shared_ptr<tcp::TcpRule> rule) {
  rules_.push_back(std::move(rule));
}

bool SniMembers::remove(RuleId id) {
  return std::erase_if(rules_, [id](const auto& rule) { return rule->spec().id == id; }) > 0;
}

std::shared_ptr<const tcp::SniRoutes> SniMembers::routes() const {
  std::vector<std::optional<std::string>> patterns;
  patterns.reserve(rules_.size());
  for (const auto& rule : rules_) patterns.push_back(rule->spec().sni_pattern);
  auto table = sni::RouteTable::build(patterns);
  PORTUNUS_ASSERT(table);
  return std::make_shared<const tcp::SniRoutes>(tcp::SniRoutes{std::move(*table), rules_});
}

}  // namespace portunus::dataplane
