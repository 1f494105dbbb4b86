#include "client/agent/rule_likeness.hpp"

#include <algorithm>

namespace portunus::client::agent {
namespace {

bool is_name(const model::Target& target) {
  return !target.literal();
}

/// The rule without what changes nothing of what it does: how it was written, its caps, the order
/// of address families of a literal, and the health of a single target, which has none.
model::RuleSpec essence(model::RuleSpec rule) {
  rule.listed = false;
  rule.label.clear();
  rule.rate_limit.reset();
  const bool has_names = std::ranges::any_of(rule.targets, is_name);
  rule.prefer_ipv6 = has_names && rule.prefer_ipv6.value_or(false);
  if (!rule.multi_target()) {
    rule.targets.front().priority = 0;
    rule.health_check_interval_secs.reset();
  }
  return rule;
}

}  // namespace

bool runs_alike(const model::RuleSpec& a, const model::RuleSpec& b) {
  return essence(a) == essence(b);
}

bool displaces(const model::RuleSpec& spec, const PortHolder& holder) {
  if (holder.spec.protocol != spec.protocol || !holder.spec.overlaps(spec)) return false;
  if (!holder.in_sni_group || spec.ports != 1) return true;
  if (spec.sni_pattern) return holder.spec.sni_pattern == spec.sni_pattern;
  if (!holder.spec.sni_pattern) return true;  // a port has one fallback
  // A rule without a pattern may join the group. But rules come in ascending order, those with a
  // pattern before the one without: a pattern that should have come by now is gone, and the port is
  // to come up in plain mode.
  return holder.spec.id < spec.id;
}

}  // namespace portunus::client::agent
