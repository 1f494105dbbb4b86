#include "common/log/filter.hpp"

#include <algorithm>
#include <cctype>
#include <optional>

namespace portunus::log {
namespace {

std::string_view trim(std::string_view s) {
  while (!s.empty() && std::isspace(static_cast<unsigned char>(s.front()))) s.remove_prefix(1);
  while (!s.empty() && std::isspace(static_cast<unsigned char>(s.back()))) s.remove_suffix(1);
  return s;
}

std::optional<Level> parse_level(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (lower == "off") return Level::off;
  if (lower == "error") return Level::error;
  if (lower == "warn") return Level::warn;
  if (lower == "info") return Level::info;
  if (lower == "debug") return Level::debug;
  if (lower == "trace") return Level::trace;
  return std::nullopt;
}

bool covers(std::string_view prefix, std::string_view target) {
  return target.starts_with(prefix) &&
         (target.size() == prefix.size() || target[prefix.size()] == '.');
}

}  // namespace

Filter Filter::parse(std::string_view directive) {
  Filter filter;
  if (trim(directive).empty()) return filter;
  std::string_view rest = directive;
  while (true) {
    const auto comma = rest.find(',');
    const std::string_view part = trim(rest.substr(0, comma));
    const auto equals = part.find('=');
    const auto level =
        parse_level(equals == std::string_view::npos ? part : trim(part.substr(equals + 1)));
    if (!level) return Filter{};
    if (equals == std::string_view::npos) {
      filter.default_ = *level;
    } else {
      const std::string_view target = trim(part.substr(0, equals));
      if (target.empty()) return Filter{};
      filter.rules_.push_back({std::string(target), *level});
    }
    if (comma == std::string_view::npos) return filter;
    rest.remove_prefix(comma + 1);
  }
}

Level Filter::threshold(std::string_view target) const {
  const Rule* best = nullptr;
  for (const Rule& rule : rules_) {
    if (covers(rule.target, target) && (best == nullptr || rule.length() >= best->length())) {
      best = &rule;
    }
  }
  return best != nullptr ? best->level : default_;
}

}  // namespace portunus::log
