#pragma once

#include <optional>
#include <string>

#include "common/base/result.hpp"
#include "server/http/request.hpp"

namespace portunus::server::http::api {

/// The console's address as browsers see it, where server.toml names it (cli-and-config 3).
struct WebOrigin {
  std::optional<std::string> public_origin;

  /// Cookies are for HTTPS alone.
  bool secure() const { return public_origin && public_origin->starts_with("https://"); }
};

/// Whether a request that a cookie vouches for was made by the console itself: the checks of
/// http-api 3.4 in their order, for any method. Errc::csrf_*.
Result<> check_csrf(const Request& request, const WebOrigin& origin);

/// POST, PUT, PATCH, DELETE.
bool may_change(Method method);

}  // namespace portunus::server::http::api
