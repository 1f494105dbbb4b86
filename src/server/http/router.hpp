#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/http/request.hpp"

namespace portunus::server::http {

/// The decoded {segments} of a matched path.
class PathParams {
 public:
  void add(std::string_view name, std::string value) {
    values_.emplace_back(name, std::move(value));
  }
  /// Empty when the pattern has no such segment.
  std::string_view get(std::string_view name) const;

 private:
  std::vector<std::pair<std::string, std::string>> values_;
};

/// Finds the route of a method and a path. Pure and immutable once filled; a literal segment wins
/// over a {segment}.
class Router {
 public:
  /// `pattern` such as "/v1/rules/{rule_id}"; `route` is the caller's number for it.
  void add(Method method, std::string_view pattern, std::size_t route);

  enum class Outcome : std::uint8_t { found, method_not_allowed, not_found };
  struct Match {
    Outcome outcome = Outcome::not_found;
    std::size_t route = 0;
    PathParams params;
    std::string allow;  ///< the Allow header of a method that is not allowed
  };
  /// `path` as sent; it is split first and decoded segment by segment. HEAD goes where GET goes.
  Match match(Method method, std::string_view path) const;

 private:
  struct Path {
    std::vector<std::string> segments;
    std::map<Method, std::size_t> routes;
  };
  std::vector<Path> paths_;
};

}  // namespace portunus::server::http
