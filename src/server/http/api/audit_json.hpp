#pragma once

#include <string>

#include "server/audit/audit_page.hpp"

namespace portunus::server::http::api {

// The two shapes of GET /v1/audit (http-api 12), as text.

/// A bare array of entries.
std::string audit_list_json(const audit::Page& page);
/// {"entries","count","next_cursor"?}
std::string audit_page_json(const audit::Page& page);

}  // namespace portunus::server::http::api
