#pragma once

#include <cstddef>
#include <expected>
#include <string>

#include "common/model/rule.hpp"
#include "portunus/v1/rule.pb.h"

namespace portunus::wire {

/// Fills a Rule exactly as control-wire section 3 says (byte-stable: nothing unasked is set): in
/// list form when the rule was given as a list or uses several targets, SNI, a PROXY header or
/// caps, with a copy of row 0 beside the list. `out` must be empty.
void rule_to_wire(const model::RuleSpec& rule, v1::Rule& out);

/// Why a pushed rule is refused: the FAILED reason of control-wire 6.3, what to log, and for a bad
/// row of `targets` its index.
struct RuleRefusal {
  enum class Kind {
    range,     ///< malformed ports: `range_invalid`
    target,    ///< malformed target: `invalid_target_host`, `target_invalid_port:<row>`, …
    protocol,  ///< not a protocol of this program: `unsupported_protocol`
    sni,       ///< malformed pattern, or one where none may be
    limit,     ///< malformed caps
  };
  Kind kind;
  std::string reason;
  /// For the log; may quote the peer.
  std::string detail;
  /// The offending row of `targets`; 0 for a rule without a list.
  std::size_t target_index = 0;
};

/// A rule as a peer of any release sent it, validated. Nothing of it is silently dropped but what
/// control-wire 2.6 calls absent.
std::expected<model::RuleSpec, RuleRefusal> rule_from_wire(const v1::Rule& rule);

}  // namespace portunus::wire
