#pragma once

#include <optional>
#include <string>

#include "common/base/secret.hpp"
#include "server/http/request.hpp"
#include "server/http/response.hpp"

namespace portunus::server::http::api {

// The cookie portunus_session (http-api 3.3).

/// Its value, nothing when none was sent; of several the first, as the others are not to be asked.
std::optional<Secret> session_cookie(const Request& request);

/// Gives the browser the secret of its session; `secure` keeps it from plain HTTP.
void set_session_cookie(Response& response, const Secret& secret, bool secure);
/// Makes the browser forget it.
void clear_session_cookie(Response& response, bool secure);

}  // namespace portunus::server::http::api
