#pragma once

#include "common/model/rule.hpp"

namespace portunus::client::agent {

/// True when running `a` is running `b` but for the caps, which change in place: what differs at
/// most is without effect (LIFE-4, control-wire 5.1).
bool runs_alike(const model::RuleSpec& a, const model::RuleSpec& b);

/// A live rule as the holder of its ports.
struct PortHolder {
  const model::RuleSpec& spec;
  /// Its port is in SNI mode: members share it (SNI-2).
  bool in_sni_group;
};
/// True when a server that pushes `spec` within a replay cannot know `holder` any more, because the
/// two could not stand beside each other: they overlap, and are no SNI siblings.
bool displaces(const model::RuleSpec& spec, const PortHolder& holder);

}  // namespace portunus::client::agent
