#pragma once

#include <string_view>

#include "server/http/request.hpp"
#include "server/http/response.hpp"

namespace portunus::server::http::api {

/// docs/openapi.json as the program serves it (http-api 16): public, because it tells nothing of
/// this server, and outside the pipeline, so that it is there before a superadmin is.
inline constexpr std::string_view kDescriptionPath = "/v1/openapi.json";
Response describe_api(Method method);

}  // namespace portunus::server::http::api
