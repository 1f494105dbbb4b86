#pragma once

#include <functional>
#include <optional>
#include <string>

namespace portunus::config {

/// Looks an environment variable up; nothing when unset. Programs pass process_environment, tests
/// a table. An empty value counts as set here; most callers skip empty ones themselves.
using Environment = std::function<std::optional<std::string>(const char* name)>;

std::optional<std::string> process_environment(const char* name);

/// The value unless unset or empty.
std::optional<std::string> non_empty(const Environment& environment, const char* name);

}  // namespace portunus::config
