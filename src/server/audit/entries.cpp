#include "server/audit/entries.hpp"

#include <algorithm>
#include <utility>

#include "common/base/utf8.hpp"

namespace portunus::server::audit {

store::AuditRow event_entry(std::string actor, std::optional<std::string> role, std::string action,
                            Resource resource, std::string details) {
  store::AuditRow row;
  row.actor = std::move(actor);
  row.role = std::move(role);
  row.path = action;
  row.action = std::move(action);
  row.resource_kind = std::move(resource.kind);
  row.resource_value = std::move(resource.value);
  row.details = std::move(details);
  return row;
}

std::string cut(std::string_view text, std::size_t most) {
  if (text.size() <= most) return std::string(text);
  std::size_t taken = 0;
  while (true) {
    const std::size_t next = std::max<std::size_t>(utf8_sequence_length(text.substr(taken)), 1);
    if (taken + next > most) return std::string(text.substr(0, taken));
    taken += next;
  }
}

}  // namespace portunus::server::audit
