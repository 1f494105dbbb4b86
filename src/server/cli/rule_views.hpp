#pragma once

#include <expected>
#include <iosfwd>
#include <string>

#include "server/cli/client_views.hpp"
#include "server/cli/json_fwd.hpp"

namespace portunus::server::cli {

/// `list-rules` from an array of rule objects (http-api 8.8); why not, if it is none. Prints all or
/// nothing.
std::expected<void, std::string> print_rules(std::ostream& out, const Json& rules, Format format);

struct StatsDetail {
  bool per_port = false;
  bool per_target = false;
};
/// `rule-stats` from a stats object (http-api 9.1).
std::expected<void, std::string> print_stats(std::ostream& out, const Json& stats, Format format,
                                             StatsDetail detail);

}  // namespace portunus::server::cli
