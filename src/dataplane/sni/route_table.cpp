#include "dataplane/sni/route_table.hpp"

namespace portunus::dataplane::sni {

std::optional<RouteTable> RouteTable::build(std::span<const std::optional<std::string>> patterns) {
  RouteTable table;
  for (std::size_t member = 0; member < patterns.size(); ++member) {
    const auto& pattern = patterns[member];
    if (!pattern) {
      if (table.fallback_) return std::nullopt;
      table.fallback_ = member;
      continue;
    }
    const bool wildcard = pattern->starts_with("*.");
    const bool added = wildcard ? table.wildcard_.emplace(pattern->substr(2), member).second
                                : table.exact_.emplace(*pattern, member).second;
    if (!added) return std::nullopt;
  }
  return table;
}

std::optional<RouteTable::Match> RouteTable::find(std::string_view server_name) const {
  if (const auto it = exact_.find(server_name); it != exact_.end()) {
    return Match{it->second, Kind::exact};
  }
  // As `*` is exactly one label, the only suffix that can match is what follows the first one.
  const std::size_t dot = server_name.find('.');
  if (dot != server_name.npos && dot > 0) {
    if (const auto it = wildcard_.find(server_name.substr(dot + 1)); it != wildcard_.end()) {
      return Match{it->second, Kind::wildcard};
    }
  }
  if (fallback_) return Match{*fallback_, Kind::fallback};
  return std::nullopt;
}

std::string_view kind_name(RouteTable::Kind kind) {
  switch (kind) {
    case RouteTable::Kind::exact:
      return "exact";
    case RouteTable::Kind::wildcard:
      return "wildcard";
    case RouteTable::Kind::fallback:
      return "fallback";
  }
  return "fallback";
}

}  // namespace portunus::dataplane::sni
