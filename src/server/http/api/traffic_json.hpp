#pragma once

#include <string>

#include "common/base/result.hpp"
#include "server/auth/endpoint_settings.hpp"
#include "server/http/url.hpp"
#include "server/traffic/traffic_history.hpp"

namespace portunus::server::http::api {

// The shapes of the traffic history (http-api 10) and of the advertised endpoint (http-api 11).

/// `from`, `to` and `bucket`; Errc::invalid_query when a required one is missing or no integer.
Result<traffic::HistoryRequest> decode_history(const Query& query);
/// The client under `client_name` or `client_id`, if either is given; Errc::invalid_query for both.
Result<std::optional<std::string>> decode_client_filter(const Query& query);
std::string history_json(const traffic::History& history);

/// The wanted override; nothing when the key is absent or null.
Result<std::optional<std::string>> decode_endpoint(std::string_view body);
std::string endpoint_json(const auth::EndpointView& view);

}  // namespace portunus::server::http::api
