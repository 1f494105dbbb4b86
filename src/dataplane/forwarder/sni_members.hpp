#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "common/base/ids.hpp"
#include "common/model/rule.hpp"
#include "dataplane/tcp/sni_table.hpp"
#include "dataplane/tcp/tcp_rule.hpp"

namespace portunus::dataplane {

/// The rules that share one port in SNI mode: any number with different patterns, and at most one
/// without, the fallback (SNI-2). A value of the owner's thread.
class SniMembers {
 public:
  /// Why the rule cannot join these, for the log; nothing when it can.
  std::optional<std::string_view> conflict(const model::RuleSpec& rule) const;
  /// A rule without a conflict.
  void add(std::shared_ptr<tcp::TcpRule> rule);
  /// False when it is no member.
  bool remove(RuleId id);

  bool empty() const { return rules_.empty(); }
  std::size_t size() const { return rules_.size(); }
  /// The snapshot to publish (SNI-3).
  std::shared_ptr<const tcp::SniRoutes> routes() const;

 private:
  std::vector<std::shared_ptr<tcp::TcpRule>> rules_;
};

}  // namespace portunus::dataplane
