#pragma once

#include <vector>

#include "common/async/task.hpp"
#include "server/http/api/call.hpp"
#include "server/http/api/guard.hpp"
#include "server/http/request.hpp"
#include "server/http/response.hpp"
#include "server/http/router.hpp"

namespace portunus::server::http::api {

/// Everything the operator listener answers: the routes below /v1/ (http-api 5) and, outside it,
/// the stub of the console (http-api 14). Owned by the composition root; handle() runs on the
/// domain executor and must have ended everywhere before this goes.
class Api {
 public:
  explicit Api(Services services, WebOrigin origin = {});

  /// Never fails: what goes wrong is the answer.
  async::Task<Response> handle(Request request);

 private:
  async::Task<Response> handle_open(const Request& request, const Router::Match& match);
  async::Task<Response> handle_protected(const Request& request, const Router::Match& match);
  async::Task<Result<Response>> dispatch(const Request& request, const Router::Match& match,
                                         const auth::Identity& who);

  Services services_;
  WebOrigin origin_;
  Guard guard_;
  Router open_router_;  ///< the calls outside the pipeline of http-api 3.1
  Router router_;
};

}  // namespace portunus::server::http::api
