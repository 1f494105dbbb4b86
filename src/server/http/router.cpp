#include "server/http/router.hpp"

#include <algorithm>
#include <optional>

#include "server/http/url.hpp"

namespace portunus::server::http {
namespace {

bool is_param(std::string_view segment) {
  return segment.starts_with('{');
}

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> segments;
  if (path.starts_with('/')) path.remove_prefix(1);
  while (true) {
    const std::size_t slash = path.find('/');
    segments.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return segments;
    path.remove_prefix(slash + 1);
  }
}

/// Literals sort before params, so the first match is the most literal one.
bool more_literal(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  return std::ranges::lexicographical_compare(
      a, b, [](const auto& x, const auto& y) { return !is_param(x) && is_param(y); });
}

std::optional<PathParams> fit(const std::vector<std::string>& pattern,
                              const std::vector<std::string>& segments) {
  if (pattern.size() != segments.size()) return std::nullopt;
  PathParams params;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const std::string_view expected = pattern[i];
    if (is_param(expected)) {
      if (segments[i].empty()) return std::nullopt;
      params.add(expected.substr(1, expected.size() - 2), segments[i]);
    } else if (expected != segments[i]) {
      return std::nullopt;
    }
  }
  return params;
}

std::string allow_header(const std::map<Method, std::size_t>& routes) {
  std::string text;
  for (const auto& [method, route] : routes) {
    if (!text.empty()) text += ", ";
    text += method_name(method);
    if (method == Method::get) text += ", HEAD";
  }
  return text;
}

}  // namespace

std::string_view PathParams::get(std::string_view name) const {
  for (const auto& [known, value] : values_) {
    if (known == name) return value;
  }
  return {};
}

void Router::add(Method method, std::string_view pattern, std::size_t route) {
  const std::vector<std::string_view> parts = split(pattern);
  std::vector<std::string> segments(parts.begin(), parts.end());
  const auto known = std::ranges::find(paths_, segments, &Path::segments);
  if (known != paths_.end()) {
    known->routes[method] = route;
    return;
  }
  const auto place = std::ranges::upper_bound(paths_, segments, more_literal, &Path::segments);
  paths_.insert(place, Path{std::move(segments), {{method, route}}});
}

Router::Match Router::match(Method method, std::string_view path) const {
  Match match;
  std::vector<std::string> segments;
  for (const std::string_view raw : split(path)) {
    auto segment = percent_decode(raw);
    if (!segment) return match;
    segments.push_back(std::move(*segment));
  }
  for (const Path& candidate : paths_) {
    auto params = fit(candidate.segments, segments);
    if (!params) continue;
    match.params = std::move(*params);
    const auto route = candidate.routes.find(method == Method::head ? Method::get : method);
    if (route == candidate.routes.end()) {
      match.outcome = Outcome::method_not_allowed;
      match.allow = allow_header(candidate.routes);
    } else {
      match.outcome = Outcome::found;
      match.route = route->second;
    }
    return match;
  }
  return match;
}

}  // namespace portunus::server::http
