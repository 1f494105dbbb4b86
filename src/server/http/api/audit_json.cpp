#include "server/http/api/audit_json.hpp"

#include <fmt/format.h>

#include <utility>

#include "server/http/api/json_text.hpp"

namespace portunus::server::http::api {
namespace {

using Json = AnswerJson;

std::string_view outcome_name(store::AuditOutcome outcome) {
  switch (outcome) {
    case store::AuditOutcome::allow:
      return "allow";
    case store::AuditOutcome::deny:
      return "deny";
  }
  return "";
}

void add_known(Json& json, const char* key, const std::optional<std::string>& text) {
  if (text) json[key] = *text;
}

}  // namespace

std::string audit_entry_json(const store::AuditRow& row) {
  Json json = {{"timestamp", format_rfc3339(row.at)}, {"actor", row.actor}};
  add_known(json, "role", row.role);
  json["method"] = row.method;
  json["path"] = row.path;
  json["outcome"] = outcome_name(row.outcome);
  add_known(json, "reason", row.reason);
  add_known(json, "action", row.action);
  add_known(json, "resource_kind", row.resource_kind);
  add_known(json, "resource_value", row.resource_value);
  if (row.details) {
    Json details = Json::parse(*row.details, nullptr, false);
    if (details.is_object()) json["details"] = std::move(details);
  }
  return write(json);
}

std::string audit_page_json(std::string_view entries, std::size_t count,
                            const std::optional<std::string>& next_cursor) {
  // The entries are text already, made in parts.
  std::string out = fmt::format(R"({{"entries":{},"count":{})", entries, count);
  if (next_cursor) out += R"(,"next_cursor":)" + write(Json(*next_cursor));
  return out + '}';
}

}  // namespace portunus::server::http::api
