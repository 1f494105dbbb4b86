#pragma once

#include <functional>
#include <string>

namespace portunus::dataplane::rules {

/// What a core tells the owner of a rule; called on the core's thread.
struct CoreReports {
  /// After its listeners were closed, nothing of the rule is left on this core.
  std::function<void()> on_gone;
  /// A part of the rule has died unexpectedly, e.g. "Listener(8080)": the owner takes the rest of
  /// the rule down (LIFE-5).
  std::function<void(std::string role)> on_died;
};

}  // namespace portunus::dataplane::rules
