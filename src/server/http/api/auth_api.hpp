#pragma once

#include <optional>

#include "common/async/task.hpp"
#include "common/base/result.hpp"
#include "server/http/api/call.hpp"
#include "server/http/api/csrf.hpp"
#include "server/web_auth/web_auth.hpp"

namespace portunus::server::http::api {

/// One request of the four calls that come before or end authentication (http-api 5.1), on its way
/// through a route. Lives until the route has answered.
struct AuthCall {
  const Services& services;
  const Request& request;
  const WebOrigin& origin;
  // Set by the route, for the log.
  std::optional<auth::Identity> who = std::nullopt;  ///< by one that succeeded
  bool by_session = false;                           ///< it was asked for by a session's cookie
};

using AuthRoute = async::Task<Result<Response>> (*)(AuthCall& call);

async::Task<Result<Response>> get_auth_status(AuthCall& call);
async::Task<Result<Response>> onboard(AuthCall& call);
async::Task<Result<Response>> log_in(AuthCall& call);
async::Task<Result<Response>> log_out(AuthCall& call);

/// Where the request comes from; headers of proxies are not asked (http-api 3.5).
web_auth::Peer peer_of(const Request& request);

}  // namespace portunus::server::http::api
