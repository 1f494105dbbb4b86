#include "dataplane/owners/owner_scope.hpp"

#include <algorithm>
#include <utility>

namespace portunus::dataplane::owners {

OwnerRegistry::OwnerRegistry(std::function<void(const Scope&)> on_exhausted)
    : on_exhausted_(std::move(on_exhausted)) {}

OwnerRegistry::Scope OwnerRegistry::scope(std::string_view owner_id) {
  if (owner_id.empty()) return nullptr;
  Scope& scope = scopes_[std::string(owner_id)];
  if (scope == nullptr) {
    scope = std::make_shared<OwnerScope>(std::string(owner_id));
    if (on_exhausted_) {
      // The function by value, because rules may keep a scope longer than the registry lives; the
      // scope weakly, because it holds this closure itself.
      scope->quota.on_exhausted([notify = on_exhausted_, weak = std::weak_ptr<OwnerScope>(scope)] {
        if (const Scope self = weak.lock()) notify(self);
      });
    }
  }
  return scope;
}

std::vector<model::OwnerTraffic> OwnerRegistry::traffic() const {
  std::vector<model::OwnerTraffic> out;
  for (const auto& [id, scope] : scopes_) {
    model::LimitTraffic limit = scope->limiter.traffic();
    // Without caps it counts only so that caps may come (RL-12), and has nothing to say.
    if (!scope->limiter.capped()) limit.active = 0;
    if (limit != model::LimitTraffic{}) out.push_back({id, limit});
  }
  std::ranges::sort(out, {}, &model::OwnerTraffic::owner_id);
  return out;
}

}  // namespace portunus::dataplane::owners
