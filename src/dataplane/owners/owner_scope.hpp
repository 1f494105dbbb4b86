#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/base/clock.hpp"
#include "common/model/rate_limit.hpp"
#include "common/model/traffic.hpp"
#include "dataplane/limits/limiter.hpp"
#include "dataplane/quota/quota_gate.hpp"

namespace portunus::dataplane::owners {

/// What all rules of one owner on this edge share. A rule holds its scope from activation on, so
/// that a limit or a quota that is set later binds to what already runs (RL-10, QUO-1).
struct OwnerScope {
  explicit OwnerScope(std::string owner_id) : id(std::move(owner_id)) {}
  const std::string id;
  limits::Limiter limiter;
  quota::QuotaGate quota;
};

/// All owners this process has heard of: live counts, caps and quotas outlive sessions and rules
/// (RL-12). Lives on the forwarder's owner's thread; the scopes are shared with the workers.
class OwnerRegistry {
 public:
  using Scope = std::shared_ptr<OwnerScope>;
  /// Called on any thread when an owner's quota runs out.
  explicit OwnerRegistry(std::function<void(const Scope&)> on_exhausted);

  /// Made when new. Nothing for the empty id: such a rule has no owner layer.
  Scope scope(std::string_view owner_id);
  /// Owners with any non-zero statistic, sorted by id (data-plane section 15).
  std::vector<model::OwnerTraffic> traffic() const;

 private:
  std::function<void(const Scope&)> on_exhausted_;
  std::unordered_map<std::string, Scope> scopes_;
};

}  // namespace portunus::dataplane::owners
