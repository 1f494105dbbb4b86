#pragma once

#include <cstdint>
#include <string_view>

#include "common/base/result.hpp"
#include "common/model/rule.hpp"
#include "server/rules/push_request.hpp"

namespace portunus::server::rules {

// The checks of a push in the order of http-api 8.2, without any state; the rows are the numbers
// there. Gates (14) are in rule_gates, conflicts (18) in rule_conflict; what needs the store or the
// session stands in RuleService, which calls all in their order.

/// The rule that a request comes to, as far as its checks have got.
struct Draft {
  model::RuleSpec spec;
  /// Length of the target's port range; 1 for a list.
  std::uint32_t target_ports = 1;
};

/// Rows 1 to 3: one of the two shapes, and ports that listen.
Result<> check_form(const PushRequest& request);
/// Row 6, also of requests without caps.
Result<> check_caps(const PushRequest& request);
/// Rows 1 to 9. The draft's protocol is not set yet, and a host that did not come in a list is
/// still as given.
Result<Draft> check_shape(const PushRequest& request);
/// The protocol word of row 10, in any case.
Result<model::Protocol> check_protocol(std::string_view word);
/// Row 12: makes the host of the single-target shape canonical.
Result<> check_single_host(const PushRequest& request, Draft& draft);
/// Row 13.
Result<> check_proxy(const model::RuleSpec& spec);
/// Rows 16 and 17.
Result<> check_lengths(const Draft& draft, std::uint32_t max_ports);

}  // namespace portunus::server::rules
