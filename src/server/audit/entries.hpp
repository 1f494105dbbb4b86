#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "server/store/audit_store.hpp"

namespace portunus::server::audit {

/// The actor of a request that nobody has proven to be his (http-api 12).
inline constexpr std::string_view kAnonymous = "_anonymous";

/// The most bytes of a path, and of a method, that an entry holds: both may be a stranger's.
inline constexpr std::size_t kMostPathBytes = 1024;
inline constexpr std::size_t kMostMethodBytes = 32;

/// What an operator's action was about.
struct Resource {
  std::string kind;
  std::string value;
};

/// An event row: named `action`, without a method, its path repeats the action. `details` is the
/// text of a JSON object and holds no secret. The time is given when it is recorded.
store::AuditRow event_entry(std::string actor, std::optional<std::string> role, std::string action,
                            Resource resource, std::string details);

/// The first bytes of `text`, at most `most`, cut between UTF-8 sequences.
std::string cut(std::string_view text, std::size_t most);

}  // namespace portunus::server::audit
