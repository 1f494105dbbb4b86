#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/log/event.hpp"

namespace portunus::log {

/// A log filter directive: comma-separated `level` or `target=level`; the longest matching target
/// prefix of whole segments wins. A malformed directive counts as `info` (observability, section
/// 1). Immutable.
class Filter {
 public:
  static Filter parse(std::string_view directive);
  /// The lowest level that is written for `target`.
  Level threshold(std::string_view target) const;

 private:
  struct Rule {
    std::string_view::size_type length() const { return target.size(); }
    std::string target;
    Level level;
  };
  std::vector<Rule> rules_;
  Level default_ = Level::info;
};

}  // namespace portunus::log
