#include "server/http/api/audit_json.hpp"

#include <optional>
#include <string_view>

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

Json to_json(const store::AuditRow& row) {
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
  return json;
}

Json entries_json(const audit::Page& page) {
  Json list = Json::array();
  for (const store::AuditRow& row : page.entries) list.push_back(to_json(row));
  return list;
}

}  // namespace

std::string audit_list_json(const audit::Page& page) {
  return write(entries_json(page));
}

std::string audit_page_json(const audit::Page& page) {
  Json json = {{"entries", entries_json(page)}, {"count", page.entries.size()}};
  add_known(json, "next_cursor", page.next_cursor);
  return write(json);
}

}  // namespace portunus::server::http::api
