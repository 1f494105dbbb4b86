#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "server/audit/audit_page.hpp"

namespace portunus::server::http::api {

// What the two shapes of GET /v1/audit (http-api 12) are made of, as text.

std::string audit_entry_json(const store::AuditRow& row);
/// {"entries","count","next_cursor"?} around the array of entries.
std::string audit_page_json(std::string_view entries, std::size_t count,
                            const std::optional<std::string>& next_cursor);

}  // namespace portunus::server::http::api
